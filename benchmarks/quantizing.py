"""Which quantization of a model's weights is worth having: size, memory, speed, and what becomes of answers.

    edge-icl models fetch smollm2-135m-instruct-q4_1
    python benchmarks/quantizing.py [--model FILE] [--into Q8_0 Q4_K_M Q4_0] [--questions 500] [--threads 1]

llama.cpp's own quantizer writes the file in each quantization three times: with one thread, with all, and with
all again, to see whether the bytes are the same. Then each question is asked with the file as it is and with
every other, in turns, in one process, the model always asked; times are divided by those of the file as it is,
question by question. Last, a new process each, in turns: loading the model, its most memory, and the first
question, before which no prefix was evaluated. On a busy machine processor time with one thread says most.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import llama_cpp
import numpy as np
from support.common import SEED, interval, load, show

from edge_icl import Example, Memory, Options
from edge_icl.llm.native import llama
from edge_icl.models.location import find_llm
from edge_icl.runtime.cores import usable_cores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = "smollm2-135m-instruct-q4_1"
QUANTIZATIONS = {"Q4_0": 2, "Q5_0": 8, "Q5_1": 9, "Q8_0": 7, "Q4_K_M": 15, "Q6_K": 18}
"""Name -> `llama_ftype` in llama.h."""

ASKED = Options(labels="on", recall=False, ask_model="always")

AS_IS = "as it is"

ALONE = """
import json, sys, time
from pathlib import Path
from edge_icl import Memory, Options
with Memory.open(sys.argv[1], model=sys.argv[2], threads=int(sys.argv[4])) as memory:
    memory.ask(sys.argv[3], Options(labels="on", recall=False, ask_model="never"))
    begun = time.perf_counter(), time.process_time()
    memory.load()
    loaded = time.perf_counter(), time.process_time()
    memory.ask(sys.argv[3], Options(labels="on", recall=False, ask_model="always"))
    asked = time.perf_counter(), time.process_time()
(line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
laps = [loaded[0] - begun[0], asked[0] - loaded[0], asked[1] - loaded[1]]
print(json.dumps([*laps, int(line.split()[1]) / 1000]))
"""
"""A process of its own prints the seconds of loading and of the first question, the processor time of that, and
the most resident megabytes."""


class Asked(NamedTuple):
    """What came of asking every question with one quantization: one entry a question.

    Attributes:
        answers: the labels.
        seconds: by the clock.
        busy: seconds of processor time.
    """

    answers: list[str]
    seconds: list[float]
    busy: list[float]


def quantize(source: Path, target: Path, name: str, threads: int) -> float:
    """Write a model in another quantization; return the seconds."""
    how = llama_cpp.llama_model_quantize_default_params()
    how.ftype, how.nthread, how.allow_requantize = QUANTIZATIONS[name], threads, True
    begun = time.perf_counter()
    failed = llama_cpp.llama_model_quantize(bytes(source), bytes(target), ctypes.byref(how))
    assert not failed, name
    return time.perf_counter() - begun


def make(source: Path, folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Write every quantization and show what that takes; return the files, that of the source first."""
    llama()  # silent from here on
    made, rows = {AS_IS: source}, []
    rows.append((AS_IS, f"{source.stat().st_size / 1e6:.1f}", "", "", _digest(source)[:16]))
    for name in names:
        target, digests, spent = folder / f"{name}.gguf", set(), []
        for threads in (1, usable_cores(), usable_cores()):
            spent.append(quantize(source, target, name, threads))
            digests.add(_digest(target))
        same = "the same" if len(digests) == 1 else "different"
        size = f"{target.stat().st_size / 1e6:.1f}"
        rows.append((name, size, f"{np.median(spent):.1f}", same, min(digests)[:16]))
        made[name] = target
    header = ("quantization", "MB", "seconds to write", "bytes of 3 runs", "SHA-256")
    show(f"{source.name} written by llama.cpp's quantizer, 1 and {usable_cores()} threads", rows, header)
    return made


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def store(path: Path, task: str, size: int) -> None:
    rows = load(f"{task}/train")
    chosen = np.random.default_rng(0).permutation(len(rows))[:size]
    with Memory.create(path, seed=SEED) as memory:
        memory.add_many(Example.create(rows[i]["input"], rows[i]["output"]) for i in chosen)


def ask(path: Path, made: Mapping[str, Path], questions: Sequence[str], threads: int) -> dict[str, Asked]:
    """Ask each question with every quantization, in turns; the order moves on by one with each question."""
    memories = {name: Memory.open(path, model=str(file), threads=threads) for name, file in made.items()}
    found = {name: Asked([], [], []) for name in made}
    for memory in memories.values():
        for question in questions[:3]:
            memory.ask(f"{question} Again.", ASKED)
    names = list(made)
    for i, question in enumerate(questions):
        for j in range(len(names)):
            name = names[(i + j) % len(names)]
            begun, busy = time.perf_counter(), time.process_time()
            answer = memories[name].ask(question, ASKED)
            found[name].busy.append(time.process_time() - busy)
            found[name].seconds.append(time.perf_counter() - begun)
            found[name].answers.append(answer.text)
            assert answer.asked_model
    for memory in memories.values():
        memory.close()
    return found


def warm(task: str, path: Path, made: Mapping[str, Path], count: int, threads: int) -> None:
    rows = load(f"{task}/test")
    rows = rows[:: max(len(rows) // count, 1)][:count]
    found = ask(path, made, [row["input"] for row in rows], threads)
    first, lines = found[AS_IS], []
    before = np.array([answer == row["output"] for answer, row in zip(first.answers, rows, strict=True)])
    for name, asked in found.items():
        right = np.array([answer == row["output"] for answer, row in zip(asked.answers, rows, strict=True)])
        others = sum(one != other for one, other in zip(asked.answers, first.answers, strict=True))
        won, lost = (right & ~before).sum(), (before & ~right).sum()
        took = f"{1000 * np.median(asked.seconds):.0f}"
        cells = (f"{100 * right.mean():.1f}", others, f"{won} / {lost}", took)
        lines.append((name, *cells, share(asked.seconds, first.seconds), share(asked.busy, first.busy)))
    header = ("quantization", "right, %", "other answers", "won / lost", "p50, ms", "time", "processor time")
    show(f"{task}, n = {len(rows)}, {threads} threads, the prefix cached; times as shares", lines, header)


def share(some: Sequence[float], first: Sequence[float]) -> str:
    """Return the median of the quotients, with its interval."""
    quotients = list(np.divide(some, first))
    low, high = interval(quotients)
    return f"{np.median(quotients):.2f} ({low:.2f} to {high:.2f})"


def alone(task: str, path: Path, made: Mapping[str, Path], rounds: int, threads: int) -> None:
    question = load(f"{task}/test")[0]["input"]
    found: dict[str, list[list[float]]] = {name: [] for name in made}
    for i in range(rounds + 1):
        for name, file in made.items():
            for entry in (path / "cache").iterdir():
                entry.unlink()
            command = [sys.executable, "-c", ALONE, path, file, question, str(threads)]
            result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            found[name].extend([result] if i else [])
    first, lines = np.array(found[AS_IS]), []
    for name, some in found.items():
        figures = np.array(some)
        loading, asking, _, memory = np.median(figures, axis=0)
        shares = [share(figures[:, column], first[:, column]) for column in (1, 2)]
        lines.append((name, f"{1000 * loading:.0f}", f"{1000 * asking:.0f}", *shares, f"{memory:.0f}"))
    header = ("quantization", "load, ms", "first question, ms", "time", "processor time", "resident, MB")
    show(f"{task}, a new process each, {threads} threads, nothing cached, n = {rounds}", lines, header)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SOURCE, help="a GGUF file, or an installed model")
    parser.add_argument("--into", nargs="+", choices=QUANTIZATIONS, default=["Q8_0", "Q4_K_M", "Q4_0"])
    parser.add_argument("--tasks", nargs="+", default=["banking77", "sst2"])
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--questions", type=int, default=500, help="0 leaves these out")
    parser.add_argument("--rounds", type=int, default=9, help="new processes for each quantization; 0 for none")
    parser.add_argument("--threads", type=int, default=usable_cores())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = make(find_llm(given.model).path, Path(folder), given.into)
        for task in given.tasks:
            path = Path(folder) / f"store-{task}"
            store(path, task, given.examples)
            if given.questions:
                warm(task, path, made, given.questions, given.threads)
            if given.rounds:
                alone(task, path, made, given.rounds, given.threads)


if __name__ == "__main__":
    main()
