"""How soon texts are vectors: ours beside float32, beside batches and PyTorch; adding beside the encoder alone.

    python benchmarks/embedding.py [--rounds 15] [--only operators]

Banking77, and for long texts BIG-bench's timedial. The float32 graph comes from the weights that the installed
encoder was made from; they are fetched once more, into build/. All sides take turns in one process and use
every core that it may use. sentence-transformers is measured where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from support.bars import Bar, ratio, seconds, table, turns
from support.common import SEED, examples, interval, load, show
from support.networks import by_operator, by_shape
from support.padded import masked
from tokenizers import Tokenizer

from edge_icl import Memory
from edge_icl.encode.encoder import Encoder
from edge_icl.encode.network import silent_onnxruntime
from edge_icl.models import catalogue, fetching, location
from edge_icl.models.convert import convert
from edge_icl.runtime.progress import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_icl.encode.settings import Network

WEIGHTS = Path(__file__).resolve().parents[1] / "build" / catalogue.DEFAULT_ENCODER
TEXTS = 256
LONG_TEXTS = 48
ADDED = 2_000
BEST_BATCH = 8
"""Padded float32 batches of 4, 16, 32 and 64, sorted by length, were all slower on 2 cores."""
FASTEMBED_BATCH = 256
TORCH_BATCH = 32
"""What fastembed and sentence-transformers take unless told."""
OF_A_TEXT = (16, 226)
"""Tokens of a question of Banking77, and of a long text."""

Sides = dict[str, "Callable[[Sequence[str]], NDArray[Any]]"]


def weights() -> Path:
    """Return the folder of the default encoder's published weights."""
    entry = catalogue.find(catalogue.DEFAULT_ENCODER)
    assert entry is not None
    places = {WEIGHTS / file.name: file.size for file in entry.files}
    if not all(place.exists() and place.stat().st_size == size for place, size in places.items()):
        WEIGHTS.mkdir(parents=True, exist_ok=True)
        fetching._deliver(entry, WEIGHTS, silent)
    return WEIGHTS


def encoder(graph: Path | None = None) -> Encoder:
    """Return the installed encoder, or one with another graph."""
    network = installed()
    return Encoder([network if graph is None else network._replace(graph=graph)])


def installed() -> Network:
    """Return the network of the default encoder."""
    return location.find_encoder().networks[0]


def sample(name: str, count: int) -> list[str]:
    rows = load(name, made_up=True)
    return [rows[i]["input"] for i in np.random.default_rng(0).permutation(len(rows))[:count]]


def batching(graph: bytes, *, size: int, by_length: bool) -> Callable[[Sequence[str]], NDArray[Any]]:
    """Return what embeds in padded batches, each on all cores."""
    onnxruntime = silent_onnxruntime()
    model = installed()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = encoder().threads
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(model.tokenizer))
    tokenizer.enable_truncation(model.settings.max_tokens)
    tokenizer.no_padding()

    def embed(texts: Sequence[str]) -> NDArray[Any]:
        tokens = [one.ids for one in tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i])) if by_length else range(len(texts))
        vectors = np.empty((len(texts), model.settings.dimension), np.float32)
        for start in range(0, len(texts), size):
            rows = list(order[start : start + size])
            ids = np.zeros((len(rows), max(len(tokens[i]) for i in rows)), np.int64)
            mask = np.zeros_like(ids)
            for row, i in enumerate(rows):
                ids[row, : len(tokens[i])] = tokens[i]
                mask[row, : len(tokens[i])] = 1
            vectors[rows] = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors

    return embed


def torch_side() -> Sides:
    """Return sentence-transformers, where it is installed."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return {}
    import torch
    from sentence_transformers import SentenceTransformer

    logging.getLogger("sentence_transformers").setLevel(
        logging.ERROR
    )  # it misses modules.json, and does without
    torch.set_num_threads(encoder().threads)
    model = SentenceTransformer(str(weights()), device="cpu", local_files_only=True)
    model.max_seq_length = location.find_encoder().settings.max_tokens
    return {
        f"PyTorch, sentence-transformers, batches of {TORCH_BATCH}": lambda texts: model.encode(
            list(texts), batch_size=TORCH_BATCH, normalize_embeddings=True, show_progress_bar=False
        )
    }


def sides(folder: Path) -> Sides:
    """Return ours, then what a user would run instead."""
    plain = convert(weights(), int8=False)
    (folder / "float32.onnx").write_bytes(plain)
    padded = masked(plain)
    return {
        "ours, int8, one text at a time": encoder().encode,
        "float32, the same way": encoder(folder / "float32.onnx").encode,
        f"float32, padded batches of {BEST_BATCH} by length": batching(padded, size=BEST_BATCH, by_length=True),
        f"float32, padded batches of {FASTEMBED_BATCH}, as fastembed": batching(
            padded, size=FASTEMBED_BATCH, by_length=False
        ),
        **torch_side(),
    }


def agreement(found: Sides, texts: Sequence[str]) -> list[float]:
    """Return each side's mean cosine with float32 in our layout, rounded to int8 like ours: all do the same."""
    vectors = [side(texts).astype(np.float64) for side in found.values()]
    units = [some / np.linalg.norm(some, axis=1, keepdims=True) for some in vectors]
    return [float((some * units[1]).sum(axis=1).mean()) for some in units]


def compared(texts: Sequence[str], rounds: int) -> list[tuple[object, ...]]:
    """Return a row for each side: texts a second, ratio to ours, cosine."""
    with tempfile.TemporaryDirectory() as folder:
        found = sides(Path(folder))
        spent = turns(*(lambda side=side: side(texts) for side in found.values()), rounds=rounds)
        cosines = agreement(found, texts)
    rows = []
    for name, took, cosine in zip(found, spent, cosines, strict=True):
        quotients = list(np.divide(took, spent[0]))
        low, high = interval(quotients)
        rate = f"{len(texts) / np.median(took):,.0f}"
        rows.append((name, rate, f"{np.median(quotients):.2f} ({low:.2f} to {high:.2f})", f"{cosine:.4f}"))
    return rows


def int8_bar(rounds: int) -> Bar:
    texts = sample("banking77/train", TEXTS)
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "float32.onnx"
        graph.write_bytes(convert(weights(), int8=False))
        ours, float32 = encoder(), encoder(graph)
        eight, full = turns(lambda: ours.encode(texts), lambda: float32.encode(texts), rounds=rounds)
    return ratio("texts a second, encoder int8 / float32 ONNX", full, eight, 2, most=False)


def add_bar(rounds: int) -> Bar:
    some = examples("banking77/train", made_up=True)[:ADDED]
    texts = [example.input for example in some]
    with tempfile.TemporaryDirectory() as folder:
        stores = [Memory.create(Path(folder) / str(i), seed=SEED) for i in range(rounds + 1)]
        alone, empty = encoder(), iter(stores)
        adding, encoding = turns(lambda: next(empty).add_many(some), lambda: alone.encode(texts), rounds=rounds)
        for store in stores:
            store.close()
    return ratio(f"add {ADDED:,} in one commit / the encoder alone", adding, encoding, 1.10)


def bars(rounds: int = 15) -> list[Bar]:
    return [int8_bar(rounds), add_bar(max(3, rounds // 2))]


def latencies(count: int) -> list[tuple[object, ...]]:
    """Return what a question waits for: its vector, and in a new process the encoder."""
    texts = sample("banking77/test", count)
    ours = encoder()
    ours.encode(texts[:1])
    model = installed()
    code = (
        "import sys, time, numpy; begun = time.perf_counter(); from pathlib import Path; "
        "from edge_icl.encode.encoder import Encoder; "
        "from edge_icl.encode.settings import EncoderSettings, Network; "
        "settings = EncoderSettings(384, 400, 256); "
        "Encoder([Network(Path(sys.argv[1]), Path(sys.argv[2]), settings)]).load(); "
        "print(time.perf_counter() - begun)"
    )
    command = [sys.executable, "-c", code, str(model.graph), str(model.tokenizer)]
    measured = {
        "the vector of one question, encoder loaded": [seconds(lambda t=t: ours.encode([t])) for t in texts],
        "load the encoder again": [seconds(lambda: encoder().load()) for _ in range(15)],
        "import and load it in a new process": [float(subprocess.check_output(command)) for _ in range(15)],
    }
    rows = []
    for name, spent in measured.items():
        low, high = interval(spent)
        rows.append((name, f"{np.median(spent) * 1e3:.1f} ({low * 1e3:.1f} to {high * 1e3:.1f})", len(spent)))
    return rows


def sides_in_turn(rounds: int) -> None:
    header = ("side", "texts a second", "time / ours", "cosine with float32")
    for title, texts, many in (
        ("Short texts: Banking77", sample("banking77/train", TEXTS), rounds),
        ("Long texts: BIG-bench's timedial", sample("bbii/timedial/train", LONG_TEXTS), max(3, rounds // 2)),
    ):
        show(f"{title}, {len(texts)} texts, {many} turns", compared(texts, many), header)


def operators(rounds: int) -> None:
    header = ("operator", "nodes", "ms", "share")
    for tokens in OF_A_TEXT:
        rows = [*by_operator(installed().graph, tokens, 20 * rounds)]
        show(f"Ours, a text of {tokens} tokens, one thread, by operator", rows, header)


def shapes(rounds: int) -> None:
    header = ("layers", "tokens", "int8, ms", "float32 / int8", "two threads in a run / one", "same bits")
    show(f"Networks of other shapes, one text at a time, {rounds} turns", [*by_shape(rounds)], header)


PARTS = {
    "bars": lambda rounds: table("Embedding Banking77", bars(rounds)),
    "sides": sides_in_turn,
    "question": lambda _: show(
        "Milliseconds for one question", latencies(200), ("what", "median (95 % interval)", "n")
    ),
    "operators": operators,
    "shapes": shapes,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", choices=PARTS)
    given = parser.parse_args()
    for part in PARTS if given.only is None else (given.only,):
        PARTS[part](given.rounds)


if __name__ == "__main__":
    main()
