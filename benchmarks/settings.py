"""Which settings of llama.cpp are the fastest on this machine: batches, flash attention, KV types, threads.

    python benchmarks/settings.py [--rounds 7] [--threads 2] [--only bench]

Each setting has a context of its own on the same weights, the default model's; all take turns. A prefix of 256
tokens is evaluated, then 16 tokens of a question, then 8 tokens one by one, as in an answer. Ratios are against
the library's own settings: above 1 is slower. Then tokens a second as llama.cpp's own llama-bench has them (pp
reads a prompt, tg writes token by token), at the lengths of our prompts and beside its settings. Last, what
loading costs with and without mmap.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from typing import Any

import llama_cpp
import numpy as np
from support.bars import ratio, seconds, turns
from support.common import show

from edge_icl.llm.context import BATCH, SEQUENCES
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.vocabulary import load_file
from edge_icl.models.location import find_llm
from edge_icl.runtime.cores import usable_cores

CORES = usable_cores()
F32, Q8_0 = llama_cpp.GGML_TYPE_F32, llama_cpp.GGML_TYPE_Q8_0
ON, OFF = llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED, llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED

OURS: dict[str, Any] = {
    "n_ctx": 4096,
    "n_batch": BATCH,
    "n_ubatch": BATCH,
    "n_seq_max": SEQUENCES,
    "kv_unified": True,
    "n_threads": CORES,
    "n_threads_batch": CORES,
    "flash_attn_type": OFF,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "ours": {},
    "batch 512": {"n_batch": 512, "n_ubatch": 512},
    "batch 256, ubatch 64": {"n_ubatch": 64},
    "flash attention": {"flash_attn_type": ON},
    "flash attention, KV q8_0": {"flash_attn_type": ON, "type_k": Q8_0, "type_v": Q8_0},
    "K q8_0": {"type_k": Q8_0},
    "KV f32": {"type_k": F32, "type_v": F32},
    "half the threads for answers": {"n_threads": max(CORES // 2, 1)},
    "half the threads": {"n_threads": max(CORES // 2, 1), "n_threads_batch": max(CORES // 2, 1)},
    "twice the threads": {"n_threads": 2 * CORES, "n_threads_batch": 2 * CORES},
    "one sequence": {"n_seq_max": 1},
    "context 1024": {"n_ctx": 1024},
}
TOKENS = [int(token) for token in np.random.default_rng(0).integers(100, 40_000, 1024)]
WORK = ((256, "prefix"), (16, "question"), (8, "answer"))
THEIRS = {"n_ctx": 1024, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "kv_unified": False}
BENCH = {"ours": {}, "llama-bench": THEIRS, "llama-bench -fa 1": THEIRS | {"flash_attn_type": ON}}
"""What llama-bench takes unless told."""
READ, WRITTEN = (8, 16, 54, 203, 829), 16
"""Tokens of a short question, of a question, of one with eight labels, and of prefixes of 8 and 32 shots."""


class Context:
    """A context with one setting; each of its works goes on where the one before it ended."""

    def __init__(self, model: int, setting: dict[str, Any]) -> None:
        parameters = llama_cpp.llama_context_default_params()
        for name, value in (OURS | setting).items():
            setattr(parameters, name, value)
        self.handle = llama_cpp.llama_init_from_model(model, parameters)
        self.most = llama_cpp.llama_n_batch(self.handle)

    def decode(self, tokens: list[int]) -> None:
        array = (llama_cpp.llama_token * len(tokens))(*tokens)  # the batch does not keep it alive
        if llama_cpp.llama_decode(self.handle, llama_cpp.llama_batch_get_one(array, len(tokens))):
            raise RuntimeError("llama.cpp could not evaluate this")

    def prefix(self) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.handle), False)
        self.decode(TOKENS[:256])

    def question(self) -> None:
        self.decode(TOKENS[:16])

    def answer(self) -> None:
        for token in TOKENS[:8]:
            self.decode([token])

    def read(self, count: int) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.handle), False)
        for start in range(0, count, self.most):
            self.decode(TOKENS[start : min(start + self.most, count)])

    def write(self, count: int) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.handle), False)
        for token in TOKENS[:count]:
            self.decode([token])


def measure(rounds: int) -> None:
    model = load_file(find_llm().path, EngineOptions(gpu_layers=0))
    contexts = {name: Context(model, setting) for name, setting in SETTINGS.items()}
    spent: dict[str, dict[str, list[float]]] = {name: {work: [] for _, work in WORK} for name in contexts}
    for i in range(rounds + 1):  # the first warms up
        for name in reversed(contexts) if i % 2 else contexts:
            for _, work in WORK:
                took = seconds(getattr(contexts[name], work))
                if i:
                    spent[name][work].append(took)
    rows = []
    for name, found in spent.items():
        cells = []
        for count, work in WORK:
            bar = ratio(work, found[work], spent["ours"][work], 1)
            cells.append(f"{1000 * np.median(found[work]) / count:.1f} ms")
            cells.append(f"{bar.figure:.2f} ({bar.low:.2f} to {bar.high:.2f})")
        rows.append((name, *cells))
    header = ("setting", "prefix, a token", "ratio", "question, a token", "ratio", "answer, a token", "ratio")
    show(f"llama.cpp on {CORES} of {os.cpu_count()} processors, {rounds} turns", rows, header)


def bench(rounds: int, threads: int) -> None:
    model = load_file(find_llm().path, EngineOptions(gpu_layers=0))
    many = {"n_threads": threads, "n_threads_batch": threads}
    contexts = {name: Context(model, setting | many) for name, setting in BENCH.items()}
    rows = []
    for name, count in (*(("pp", count) for count in READ), ("tg", WRITTEN)):
        works = [partial(one.read if name == "pp" else one.write, count) for one in contexts.values()]
        ours, *theirs = turns(*works, rounds=rounds)
        found = [ratio(name, took, ours, 1) for took in theirs]
        cells = (f"{bar.figure:.2f} ({bar.low:.2f} to {bar.high:.2f})" for bar in found)
        rows.append((f"{name} {count}", f"{count / np.median(ours):.0f}", *cells))
    _, *others = BENCH
    header = ("test", "ours, tokens a second", *(f"time of {name} / ours" for name in others))
    show(f"As llama-bench, {threads} threads, {rounds} turns", rows, header)


def loading(rounds: int) -> None:
    path = str(find_llm().path).encode()

    def load(*, mmap: bool) -> None:
        parameters = llama_cpp.llama_model_default_params()
        parameters.use_mmap = mmap
        llama_cpp.llama_model_free(llama_cpp.llama_model_load_from_file(path, parameters))

    without, with_it = turns(lambda: load(mmap=False), lambda: load(mmap=True), rounds=rounds)
    bar = ratio("loading", without, with_it, 1)
    print(
        f"\nLoading: {1000 * np.median(with_it):.0f} ms with mmap; without, {bar.figure:.2f} times that "
        f"({bar.low:.2f} to {bar.high:.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, CORES}))
    parser.add_argument("--only", choices=("settings", "bench", "loading"))
    given = parser.parse_args()
    if given.only in {None, "settings"}:
        measure(given.rounds)
    if given.only in {None, "bench"}:
        for threads in given.threads:
            bench(given.rounds, threads)
    if given.only in {None, "loading"}:
        loading(given.rounds)


if __name__ == "__main__":
    main()
