"""Encoder folders of a user who means harm: one sentence, nothing installed, and no hang."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
from alarm import no_hang
from safetensors.numpy import load_file, save_file

from edge_icl.errors import ModelError
from edge_icl.models import location
from edge_icl.models.importing import import_model

WORDS = "embeddings.word_embeddings.weight"
NORM = "embeddings.LayerNorm.weight"


def config(**more: object) -> Callable[[Path], object]:
    """Return what changes an encoder's configuration."""
    return lambda folder: (folder / "config.json").write_text(json.dumps(tiny.config() | more))


def weights(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[Path], object]:
    """Return what changes an encoder's weights."""

    def done(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors")

    return done


def put(name: str, value: object) -> Callable[[Path], object]:
    """Return what changes one tensor."""
    return weights(lambda tensors: tensors.update({name: np.asarray(value)}))


def tokenizer(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    """Return what changes an encoder's tokenizer."""

    def done(folder: Path) -> None:
        place = folder / "tokenizer.json"
        fields = json.loads(place.read_text())
        change(fields)
        place.write_text(json.dumps(fields))

    return done


def raw(name: str, data: bytes) -> Callable[[Path], object]:
    """Return what changes a whole file."""
    return lambda folder: (folder / name).write_bytes(data)


def other(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return what puts something else in a file's place."""

    def done(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return done


def sparse(path: Path) -> None:
    """Make a file of a terabyte that takes no room."""
    with path.open("wb") as file:
        file.truncate(1 << 40)


HEADER = json.dumps({WORDS: {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 8]}}).encode()
HOSTILE: dict[str, Callable[[Path], object]] = {
    "an absurd number of layers": config(num_hidden_layers=10**9),
    "no layers": config(num_hidden_layers=0),
    "an absurd width": config(hidden_size=10**9),
    "an absurd inner width": config(intermediate_size=10**12),
    "a number that is none": config(hidden_size=float("nan")),
    "an infinite number": config(num_hidden_layers=float("inf")),
    "a negative epsilon": config(layer_norm_eps=-1),
    "an epsilon that is NaN": config(layer_norm_eps=float("nan")),
    "an absurd length": config(max_position_embeddings=10**12),
    "a length that the weights have not": config(max_position_embeddings=4000),
    "no length": config(max_position_embeddings=0),
    "deep JSON": raw("config.json", b"[" * 100_000),
    "a configuration of megabytes": raw("config.json", b" " * (1 << 23) + b"{}"),
    "a deep tokenizer": raw("tokenizer.json", b'{"a":' * 100_000),
    "a tokenizer that is none": raw("tokenizer.json", b"{}"),
    "weights that are NaN": put(NORM, np.full(tiny.DIMENSION, np.nan, np.float32)),
    "infinite weights": put(WORDS, np.full((len(tiny.WORDS), tiny.DIMENSION), np.inf, np.float32)),
    "weights of whole numbers": put(NORM, np.ones(tiny.DIMENSION, np.int64)),
    "weights too large for 32 bits": put(NORM, np.full(tiny.DIMENSION, 1e300)),
    "weights of another shape": put(NORM, np.ones((1, tiny.DIMENSION), np.float32)),
    "no words": put(WORDS, np.ones((0, tiny.DIMENSION), np.float32)),
    "fewer words than tokens": put(WORDS, np.ones((5, tiny.DIMENSION), np.float32)),
    "no tensors": weights(lambda tensors: tensors.clear()),
    "a header of absurd length": raw("model.safetensors", struct.pack("<Q", 1 << 62) + b"{}"),
    "a header that is no JSON": raw("model.safetensors", struct.pack("<Q", 4) + b"{{{{"),
    "a deep header": raw("model.safetensors", struct.pack("<Q", 100_000) + b"[" * 100_000),
    "a tensor of absurd size": raw("model.safetensors", struct.pack("<Q", len(HEADER)) + HEADER + bytes(8)),
    "an empty file": raw("model.safetensors", b""),
    "a sparse file": other("model.safetensors", sparse),
    "a sparse tokenizer": other("tokenizer.json", sparse),
    "a sparse configuration": other("config.json", sparse),
    "a FIFO for the weights": other("model.safetensors", os.mkfifo),
    "a FIFO for the tokenizer": other("tokenizer.json", os.mkfifo),
    "a FIFO for the configuration": other("config.json", os.mkfifo),
    "a device for the weights": other("model.safetensors", lambda path: path.symlink_to("/dev/zero")),
    "a device for the configuration": other("config.json", lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": other("config.json", lambda path: path.symlink_to(path.name)),
    "a folder for the configuration": other("config.json", Path.mkdir),
    "no tokens around a text": tokenizer(lambda fields: fields.update(post_processor=None)),
    "a token that stands for the unknown and is not there": tokenizer(
        lambda fields: fields["model"].update(unk_token="[NONE]")
    ),
    "a token that the weights have not": tokenizer(lambda fields: fields["model"]["vocab"].update(zebra=10**6)),
    "a special token that is none": tokenizer(
        lambda fields: fields.update(post_processor=fields["post_processor"] | {"cls": ["[CLS]", 10**6]})
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_one_sentence_and_nothing_is_installed(tmp_path: Path, name: str) -> None:
    folder = tiny.bert(tmp_path / "bert")
    HOSTILE[name](folder)

    with no_hang(), pytest.raises(ModelError) as refused:
        import_model("mine", folder)

    assert "\n" not in str(refused.value)
    assert location.installed() == ()
