"""An encoder's centre and scale: from what it makes of `common_texts`, computed so that every machine agrees.

    >>> centring.measure(folder, settings)      # EncoderSettings with a centre and a scale

The vectors of unlike texts of many encoders have much in common: with multilingual-e5-small, cosines of 0.75
and more. What they share says nothing of a text, takes most of the eight bits, and makes cosines useless as
likeness; so the mean of common texts is subtracted ("All-but-the-Top", Mu and Viswanath, ICLR 2018, section 2,
its first step). The scale then spreads the components over the eight bits.

A centre is part of an encoder's digest, and two machines must find the same one. So the network is computed
here in float64, where processors differ after some 13 digits, and the centre is rounded to 15 bits.
"""

from __future__ import annotations

from dataclasses import replace
from math import erf, exp, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.encode.settings import CENTRE_UNIT, SPREAD, text_of
from edge_icl.encode.tokens import Tokens
from edge_icl.errors import ModelFileError
from edge_icl.models import bert
from edge_icl.models.common_texts import COMMON_TEXTS
from edge_icl.models.installed import TOKENIZER
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_icl.encode.settings import EncoderSettings, Pooling

    Floats = NDArray[np.float64]

FEWEST = 24
"""Of fewer texts the mean would say more about these than about the encoder."""

_TEXTS_AT_A_TIME = 32


def measure(folder: Path, settings: EncoderSettings, *, progress: Progress = silent) -> EncoderSettings:
    """Return the settings with the encoder's centre and its scale.

    Where it knows fewer than `FEWEST` of the common texts they stay as they are.

    Args:
        folder: holds the network and its tokenizer.
        settings: without a centre, and with the scale that is right then.
        progress: called from this thread, stage "measure the encoder".

    Raises:
        ModelFileError: a file is missing or damaged, or the network is of a kind that is not supported.
    """
    tokens = Tokens(folder / TOKENIZER, settings)
    texts = [text for language in sorted(COMMON_TEXTS) for text in COMMON_TEXTS[language]]
    known = [text for text, found in zip(texts, tokens.readings(texts), strict=True) if found.known]
    if len(known) < FEWEST:
        return settings
    network, ids = bert.load(folder), [tokens.windows(text)[0] for text in known]
    _refuse_short_tables(folder, network, ids)
    vectors = _vectors(network, ids, settings.pooling, progress)
    centre = np.rint(vectors.mean(0) * CENTRE_UNIT)
    spread = np.sqrt(np.square(vectors - centre / CENTRE_UNIT).mean())
    return replace(settings, centre=text_of(centre.astype(int).tolist()), scale=max(1, round(SPREAD / spread)))


def _refuse_short_tables(folder: Path, network: bert.Bert, ids: list[list[int]]) -> None:
    """Raise unless the weights have a row for each of these tokens, and for each place in a text.

    Raises:
        ModelFileError: they do not.
    """
    needed = {"word": max(map(max, ids)) + 1, "position": network.first + max(map(len, ids))}
    for part, rows in needed.items():
        held = len(network.weights[f"embeddings.{part}_embeddings.weight"])
        if held < rows:
            raise ModelFileError(
                f"{folder / bert.WEIGHTS} has {held:,} {part} embeddings, and its tokenizer needs {rows:,}",
                "get weights, tokenizer and configuration from one place",
            )


def _vectors(network: bert.Bert, ids: list[list[int]], pooling: Pooling, progress: Progress) -> Floats:
    """Return the vector f64[texts, dimension] of each text, of length one."""
    found = []
    for start in range(0, len(ids), _TEXTS_AT_A_TIME):
        progress("measure the encoder", start, len(ids))
        found.append(forward(network, ids[start : start + _TEXTS_AT_A_TIME], pooling))
    progress("measure the encoder", len(ids), len(ids))
    return np.concatenate(found)


def forward(network: bert.Bert, ids: list[list[int]], pooling: Pooling) -> Floats:
    """Return the vector f64[texts, dimension] of each text, of length one, as BERT has it (Devlin et al. 2019).

    All tokens of all texts go through the products together; only the attention goes text by text.

    Args:
        network: the encoder's.
        ids: the tokens of each text.
        pooling: how the tokens become one vector.
    """
    ends = np.cumsum([len(own) for own in ids])
    texts = [slice(end - len(own), end) for own, end in zip(ids, ends, strict=True)]
    words, places, kinds = (
        network.weights[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position", "token_type")
    )
    state = words[np.concatenate(ids)].astype(np.float64) + kinds[0]
    state += places[network.first + np.concatenate([np.arange(len(own)) for own in ids])]
    state = _norm(network, state, "embeddings.LayerNorm")
    for layer in range(network.layers):
        state = _block(network, state, texts, f"encoder.layer.{layer}")
    pooled = np.array([state[own][0] if pooling == "first" else state[own].mean(0) for own in texts])
    return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True))


def _block(network: bert.Bert, state: Floats, texts: list[slice], name: str) -> Floats:
    """Attention, then the two-layer network, each with its shortcut and its normalisation."""
    query, key, value = (
        _linear(network, state, f"{name}.attention.self.{part}") for part in ("query", "key", "value")
    )
    mixed = np.concatenate([_attention(network.heads, query[own], key[own], value[own]) for own in texts])
    mixed = _linear(network, mixed, f"{name}.attention.output.dense")
    state = _norm(network, state + mixed, f"{name}.attention.output.LayerNorm")
    inner = _gelu(_linear(network, state, f"{name}.intermediate.dense"))
    return _norm(network, state + _linear(network, inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")


def _attention(heads: int, query: Floats, key: Floats, value: Floats) -> Floats:
    """Return every head's weighted mean of the values of one text, f64[tokens, dimension]."""
    split = (len(query), heads, -1)
    query, value = query.reshape(split).swapaxes(0, 1), value.reshape(split).swapaxes(0, 1)
    scores = query @ key.reshape(split).transpose(1, 2, 0) / np.sqrt(query.shape[-1])
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = shares / shares.sum(-1, keepdims=True) @ value
    return np.asarray(mixed.swapaxes(0, 1).reshape(len(key), -1))


def _linear(network: bert.Bert, state: Floats, name: str) -> Floats:
    """Multiply by a matrix and add a bias."""
    weights, bias = (network.weights[f"{name}.{part}"].astype(np.float64) for part in ("weight", "bias"))
    return np.asarray(state @ weights.T + bias)


def _norm(network: bert.Bert, state: Floats, name: str) -> Floats:
    """Normalise each token's state."""
    moved = state - state.mean(-1, keepdims=True)
    scaled = moved / np.sqrt(np.square(moved).mean(-1, keepdims=True) + network.epsilon)
    return np.asarray(scaled * network.weights[f"{name}.weight"] + network.weights[f"{name}.bias"])


_REACH, _STEPS = 6.0, 1 << 14
_KNOTS = [_REACH * (2 * i / _STEPS - 1) for i in range(_STEPS + 1)]
_ERF = np.array([erf(x) for x in _KNOTS])
_SLOPE = np.array([2 / sqrt(pi) * exp(-x * x) for x in _KNOTS])


def _gelu(x: Floats) -> Floats:
    """Return x times the share of a normal distribution below x (Hendrycks and Gimpel 2016)."""
    return np.asarray(x * 0.5 * (1 + _erf(x / sqrt(2))))


def _erf(x: Floats) -> Floats:
    """Return the error function, which numpy does not have: a cubic through values and slopes."""
    at = (np.clip(x, -_REACH, _REACH) / _REACH + 1) * (_STEPS / 2)
    left = np.minimum(at.astype(np.intp), _STEPS - 1)
    t, width = at - left, 2 * _REACH / _STEPS
    values = (1 + 2 * t) * (1 - t) ** 2 * _ERF[left] + t**2 * (3 - 2 * t) * _ERF[left + 1]
    slopes = t * (1 - t) ** 2 * _SLOPE[left] - t**2 * (1 - t) * _SLOPE[left + 1]
    return np.asarray(values + width * slopes)
