"""llama.cpp by itself, given the tokens of a question after its prefix: what asking cannot be faster than.

A context of its own on the weights of a loaded model, with the library's parameters. What it is given is laid
out before the clock starts, so that what is timed is llama.cpp at work: one call for a question and all labels
after it, or one call for the question and one for each token of the answer. What comes out is not looked at.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, NamedTuple

import llama_cpp
import numpy as np

from edge_icl.llm.context import BATCH, Context
from edge_icl.llm.label import label_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_icl.llm.model import Model

    Work = Callable[[], None]


class Piece(NamedTuple):
    """A token as llama.cpp is given it."""

    token: int
    position: int
    sequences: tuple[int, ...]
    output: bool


class Floor:
    """A context with one prefix in it.

    Args:
        model: whose weights and whose number of threads.
        prefix: tokens, evaluated as `Prefixes` does it.
    """

    def __init__(self, model: Model, prefix: Sequence[int]) -> None:
        self._model = model
        self._prefix = len(prefix)
        # Only the making of the context is the library's.
        made = Context(
            model.vocabulary.model,
            model.vocabulary.size,
            size=model.context,
            threads=model.threads,
            gpu=model.gpu_layers > 0,
        )
        self._made, self._context = made, made.handle
        self._memory = llama_cpp.llama_get_memory(self._context)
        for start in range(0, len(prefix), BATCH):
            self._decode(_batch(_run(prefix[start : start + BATCH], start)))

    def close(self) -> None:
        self._made.close()

    def labels(self, question: Sequence[int], labels: Sequence[str]) -> tuple[Work, int]:
        """Return what evaluates a question with labels after it in as few calls as can be; its tokens."""
        end = self._prefix + len(question)
        tokens = [label_tokens(self._model.vocabulary, label) for label in labels]
        nodes = sorted({one[:stop] for one in tokens for stop in range(1, len(one))})
        below = {
            node: tuple(i for i, one in enumerate(tokens, 1) if one[: len(node)] == node) for node in nodes
        }
        every = tuple(range(len(labels) + 1))
        pieces = [piece._replace(sequences=every) for piece in _run(question, self._prefix)]
        pieces += [Piece(node[-1], end + len(node) - 1, below[node], True) for node in nodes]
        batches = [_batch(pieces[start : start + BATCH]) for start in range(0, len(pieces), BATCH)]

        def work() -> None:
            for sequence in every[1:]:
                llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
            for batch in batches:
                self._decode(batch)
            llama_cpp.llama_memory_seq_keep(self._memory, 0)
            llama_cpp.llama_memory_seq_rm(self._memory, 0, self._prefix, -1)

        return work, len(pieces)

    def text(self, question: Sequence[int], stop: str, most: int) -> tuple[Work, str]:
        """Return what evaluates a question and its likeliest answer, token by token, and that answer."""
        calls = [
            _batch(_run(question[start : start + BATCH], self._prefix + start))
            for start in range(0, len(question), BATCH)
        ]
        for call in calls:
            self._decode(call)
        vocabulary, text, at = self._model.vocabulary, "", self._prefix + len(question)
        for _ in range(most):
            token = self._likeliest()
            text += vocabulary.piece(token).decode(errors="replace")
            if vocabulary.ends(token) or stop in text.lstrip():
                break
            calls.append(_batch(_run([token], at)))
            self._decode(calls[-1])
            at += 1

        def work() -> None:
            for call in calls:
                self._decode(call)
            llama_cpp.llama_memory_seq_rm(self._memory, 0, self._prefix, -1)

        llama_cpp.llama_memory_seq_rm(self._memory, 0, self._prefix, -1)
        return work, text.strip().split(stop)[0]

    def _likeliest(self) -> int:
        row = llama_cpp.llama_get_logits_ith(self._context, -1)
        return int(np.ctypeslib.as_array(row, shape=(self._model.vocabulary.size,)).argmax())

    def _decode(self, batch: llama_cpp.llama_batch) -> None:
        if llama_cpp.llama_decode(self._context, batch):
            raise RuntimeError("llama.cpp could not evaluate this")
        llama_cpp.llama_get_logits_ith(self._context, -1)  # waits for a processor that works on its own


def _run(tokens: Sequence[int], first: int) -> list[Piece]:
    """Return tokens in a row of sequence 0, with the logits after the last."""
    return [Piece(token, first + i, (0,), i == len(tokens) - 1) for i, token in enumerate(tokens)]


def _batch(pieces: Sequence[Piece]) -> llama_cpp.llama_batch:
    """Return one call's tokens; it keeps its arrays alive."""
    count = len(pieces)
    rows = [(ctypes.c_int32 * len(piece.sequences))(*piece.sequences) for piece in pieces]
    batch = llama_cpp.llama_batch()
    batch.n_tokens = count
    batch.token = (ctypes.c_int32 * count)(*(piece.token for piece in pieces))
    batch.pos = (ctypes.c_int32 * count)(*(piece.position for piece in pieces))
    batch.n_seq_id = (ctypes.c_int32 * count)(*map(len, rows))
    pointers = [ctypes.cast(row, ctypes.POINTER(ctypes.c_int32)) for row in rows]
    batch.seq_id = (ctypes.POINTER(ctypes.c_int32) * count)(*pointers)
    batch.logits = (ctypes.c_int8 * count)(*(piece.output for piece in pieces))
    return batch
