"""Where a network's time goes, by operator; and what 8 bits gain in networks of other shapes, by length.

The shapes are those of well-known encoders. Their weights are random: time does not depend on them.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file
from support.bars import ratio, turns

from edge_icl.encode.network import silent_onnxruntime
from edge_icl.models import bert
from edge_icl.models.convert import convert

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES = {
    "6 of 384, as MiniLM-L6": (6, 384),
    "12 of 384, as e5-small": (12, 384),
    "12 of 768, as BERT-base": (12, 768),
}
"""Layers and dimensions."""

HEADS = 12
TOKENS = (8, 16, 64, 256)
VOCABULARY = 1000
KERNEL = "_kernel_time"

Row = tuple[object, ...]


def write(folder: Path, layers: int, dimension: int) -> None:
    """Write a network with random weights as an encoder's folder has it."""
    rng, tables = np.random.default_rng(0), {"position": max(TOKENS), "token_type": 2}
    weights = {}
    for name, shape in bert._expected(layers, dimension, 4 * dimension).items():
        rows = tables.get(name.removeprefix("embeddings.").partition("_embeddings")[0], VOCABULARY)
        full = tuple(rows if size < 0 else size for size in shape)
        weights[name] = rng.normal(0, 0.05, full).astype(np.float32)
    save_file(weights, folder / bert.WEIGHTS)
    config = {
        "model_type": "bert",
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "hidden_size": dimension,
        "intermediate_size": 4 * dimension,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": max(TOKENS),
    }
    (folder / bert.CONFIG).write_text(json.dumps(config), encoding="utf-8")


def session(graph: bytes | Path, *, threads: int = 1, profile: Path | None = None) -> Any:
    """Return a session with so many threads inside a run; `profile` begins the names of its profiles."""
    onnxruntime = silent_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def inputs(tokens: int) -> dict[str, np.ndarray]:
    """Return a text of so many random tokens, as a network is given it."""
    return {"input_ids": np.random.default_rng(tokens).integers(0, VOCABULARY, (1, tokens))}


def by_operator(graph: Path, tokens: int, runs: int) -> Iterator[Row]:
    """Give for each operator how many there are, milliseconds of a run and their share, the largest first.

    A node counts with the fastest fifth of its runs, which what else the machine does has disturbed least.
    """
    with tempfile.TemporaryDirectory() as folder:
        profiled = session(graph, profile=Path(folder) / "run")
        for _ in range(runs):
            profiled.run(None, inputs(tokens))
        events = json.loads(Path(profiled.end_profiling()).read_text(encoding="utf-8"))
    nodes = defaultdict(list)
    for event in events:
        if event["name"].endswith(KERNEL):
            nodes[event["args"]["op_name"], event["name"]].append(event["dur"])
    spent, count = defaultdict(float), defaultdict(int)
    for (operator, _), took in nodes.items():
        spent[operator] += float(np.quantile(took, 0.2)) / 1000
        count[operator] += 1
    total = sum(spent.values())
    for operator in sorted(spent, key=spent.__getitem__, reverse=True):
        yield operator, count[operator], f"{spent[operator]:.2f}", f"{spent[operator] / total:.1%}"


def by_shape(rounds: int) -> Iterator[Row]:
    """Give for each shape and length: milliseconds in 8 bits, float32 / that, two threads / one, same bits."""
    for name, (layers, dimension) in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), layers, dimension)
            eight, full = convert(Path(folder)), convert(Path(folder), int8=False)
        sides = session(eight), session(full), session(eight, threads=2)
        for tokens in TOKENS:
            given = inputs(tokens)
            works = (lambda side=side, given=given: side.run(None, given) for side in sides)
            ours, float32, two = turns(*works, rounds=rounds)
            found, threads = ratio(name, float32, ours, 2, most=False), ratio(name, two, ours, 1)
            same = np.array_equal(sides[0].run(None, given)[0], sides[2].run(None, given)[0])
            yield (
                name,
                tokens,
                f"{1000 * np.median(ours):.1f}",
                f"{found.figure:.2f} ({found.low:.2f} to {found.high:.2f})",
                f"{threads.figure:.2f} ({threads.low:.2f} to {threads.high:.2f})",
                "yes" if same else "no",
            )
