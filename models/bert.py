"""A BERT network on disk: its weights and its shape, and whether we can convert it.

    model.safetensors   the weights
    config.json         the shape of the network

One family of networks is supported, of any depth: BERT, and RoBERTa, which begins to count positions later.
Anything else is refused with the reason: a conversion that quietly leaves a step out gives vectors that look
right and are not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from edge_icl.errors import ModelFileError
from edge_icl.models.regular import open_regular, read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
_UNSUPPORTED = "only BERT encoders with absolute positions and GELU can be converted"
_PREFIX = re.compile(r"^(bert|roberta)\.")
_KINDS = ("bert", "roberta", "xlm-roberta")

_MOST = {"layers": 96, "dimensions": 8192, "inner dimensions": 65_536}
_MOST_WEIGHTS = 1 << 30
"""Three times those of the largest BERT; as float32, 4 GB."""

_MOST_POSITIONS = 1 << 17

_FRACTIONS = ("F16", "F32", "F64")

_LARGEST_JSON = 1 << 22


@dataclass(frozen=True, slots=True)
class Bert:
    """An encoder's network.

    Attributes:
        weights: name -> float32 array, as BertModel names them.
        layers: attention blocks.
        heads: attention heads in each.
        dimension: of a token's state, and so of a text's vector.
        epsilon: of layer normalisation.
        first: the position of the first token.
    """

    weights: Mapping[str, NDArray[np.float32]]
    layers: int
    heads: int
    dimension: int
    epsilon: float
    first: int = 0


def load(folder: Path) -> Bert:
    """Read an encoder's network.

    Raises:
        ModelFileError: a file is missing or damaged, or the network is of another kind; the message says
        which.
    """
    config = read_json(folder / CONFIG)
    try:
        layers, heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        dimension, epsilon = int(config["hidden_size"]), float(config["layer_norm_eps"])
        inner = int(config["intermediate_size"])
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(f"{folder / CONFIG} is not a BERT configuration: {error}", _UNSUPPORTED) from error
    _check_kind(folder, config)
    if heads < 1 or dimension < 1 or dimension % heads:
        raise ModelFileError(f"{folder / CONFIG} gives {dimension} dimensions to {heads} heads", _UNSUPPORTED)
    sizes = {"layers": layers, "dimensions": dimension, "inner dimensions": inner}
    for what, number in sizes.items():
        if not 1 <= number <= _MOST[what]:
            raise ModelFileError(f"{folder / CONFIG} gives {number} {what}, which no encoder has", _UNSUPPORTED)
    if not 0 <= epsilon < 1:
        raise ModelFileError(f"{folder / CONFIG} gives {epsilon} for layer_norm_eps", _UNSUPPORTED)
    weights = _weights(folder / WEIGHTS, _expected(layers, dimension, inner))
    return Bert(weights, layers, heads, dimension, epsilon, _first(config))


def dimension(folder: Path) -> int:
    """Return the components of the network's vectors.

    Raises:
        ModelFileError: its configuration cannot be read.
    """
    return _number(folder, read_json(folder / CONFIG), "hidden_size", most=_MOST["dimensions"])


def positions(folder: Path) -> int:
    """Return how many tokens the network can read at a time.

    Raises:
        ModelFileError: its configuration cannot be read.
    """
    config = read_json(folder / CONFIG)
    return _number(folder, config, "max_position_embeddings", most=_MOST_POSITIONS) - _first(config)


def _number(folder: Path, config: Mapping[str, Any], name: str, *, most: int) -> int:
    """Return a number of the configuration."""
    value = config.get(name)
    if type(value) is not int or not 0 < value <= most:
        raise ModelFileError(f"{folder / CONFIG} gives {value} for {name}, which no encoder has", _UNSUPPORTED)
    return value


def _first(config: Mapping[str, Any]) -> int:
    """Return the position of the first token: RoBERTa counts from the one after that of the padding."""
    if config.get("model_type", "bert") == "bert":
        return 0
    padding = config.get("pad_token_id", 1)
    return padding + 1 if type(padding) is int and 0 <= padding < _MOST_POSITIONS else 2


def _check_kind(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse what the conversion would get wrong."""
    if config.get("model_type", "bert") not in _KINDS:
        raise ModelFileError(f"{folder / CONFIG} has model_type {config['model_type']!r}", _UNSUPPORTED)
    wanted = {
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "is_decoder": False,
    }
    for key, value in wanted.items():
        if config.get(key, value) != value:
            raise ModelFileError(f"{folder / CONFIG} has {key} {config[key]!r}, not {value!r}", _UNSUPPORTED)


def _weights(path: Path, expected: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Read the tensors that are used as float32, once each is known to fit.

    Args:
        path: a safetensors file.
        expected: name -> shape, -1 for any size.
    """
    import numpy as np
    from safetensors import SafetensorError, safe_open

    try:
        open_regular(path).close()
        with safe_open(path, framework="numpy") as file:
            names = {_PREFIX.sub("", name): name for name in file.keys()}  # noqa: SIM118 - the file cannot be iterated over
            shapes = {name: _shape(file, names.get(name)) for name in expected}
            _check_shapes(path, shapes, expected)
            with np.errstate(over="ignore"):  # what does not fit is infinite, and refused
                read = {name: file.get_tensor(names[name]).astype(np.float32) for name in expected}
    except (SafetensorError, OSError, OverflowError, TypeError, ValueError, KeyError, MemoryError) as error:
        raise ModelFileError(f"{path} is not a safetensors file that can be read: {error}") from error
    return {name: _finite(path, name, tensor) for name, tensor in read.items()}


def _shape(file: Any, name: str | None) -> tuple[int, ...]:
    """Return the shape of a tensor of fractions, () where there is none."""
    if name is None:
        return ()
    found = file.get_slice(name)
    return tuple(found.get_shape()) if found.get_dtype() in _FRACTIONS else ()


def _finite(path: Path, name: str, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a tensor if all of it are numbers."""
    import numpy as np

    if not np.isfinite(tensor).all():
        raise ModelFileError(
            f"{path} has weights in {name} that are not finite numbers", "take another encoder"
        )
    return tensor


def _expected(layers: int, dimension: int, inner: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor that is used; -1 stands for any size."""
    square, vector = (dimension, dimension), (dimension,)
    linear = {
        "attention.self.query": square,
        "attention.self.key": square,
        "attention.self.value": square,
        "attention.output.dense": square,
        "intermediate.dense": (inner, dimension),
        "output.dense": (dimension, inner),
    }
    expected: dict[str, tuple[int, ...]] = {}
    norms = ["embeddings.LayerNorm"]
    for layer in range(layers):
        block = f"encoder.layer.{layer}"
        norms += [f"{block}.attention.output.LayerNorm", f"{block}.output.LayerNorm"]
        for part, shape in linear.items():
            expected |= {f"{block}.{part}.weight": shape, f"{block}.{part}.bias": shape[:1]}
    expected |= {f"{norm}.{part}": vector for norm in norms for part in ("weight", "bias")}
    tables = ("word", "position", "token_type")
    return expected | {f"embeddings.{part}_embeddings.weight": (-1, dimension) for part in tables}


def _check_shapes(
    path: Path, shapes: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]
) -> None:
    """Make sure that every tensor that will be used is there and fits, and that all fit into memory."""
    for name, wanted in sorted(expected.items()):
        found = shapes[name]
        alike = len(found) == len(wanted) and all(
            have == want or want < 0 < have for have, want in zip(found, wanted, strict=True)
        )
        if not alike:
            raise ModelFileError(
                f"{path} has no tensor {name} of the shape that its configuration wants", _UNSUPPORTED
            )
    if sum(map(prod, shapes.values())) > _MOST_WEIGHTS:
        raise ModelFileError(f"{path} has more than {_MOST_WEIGHTS:,} weights", _UNSUPPORTED)


def read_json(path: Path, kind: type = dict) -> Any:
    """Read a JSON file whose top level is a `kind`.

    Raises:
        ModelFileError: it cannot be read, or is something else.
    """
    try:
        value = json.loads(read_regular(path, most=_LARGEST_JSON))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, kind):
        raise ModelFileError(f"{path} is not what its name says", _UNSUPPORTED)
    return value
