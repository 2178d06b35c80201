"""A clustering's file has one form: the bytes that safetensors writes today, whatever it writes tomorrow."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from stores import PARAMETERS, points, rows

from edge_icl.cluster import record
from edge_icl.cluster.kmeans import Clustering, Parameters, fit

sizes = st.one_of(st.integers(1, 4), st.integers(1, 40))


@st.composite
def clusterings(draw: st.DrawFn) -> tuple[Clustering, Parameters]:
    """Return any numbers in the shape of a clustering."""
    t, m, d = draw(sizes), draw(st.integers(0, 12)), draw(sizes)
    made = Clustering(
        winners=draw(arrays(np.uint8, (m, 16))),
        start=draw(arrays(np.int8, (m, d))),
        counts=draw(arrays(np.uint32, (t, m))).astype(np.int64),
        sums=draw(arrays(np.int32, (t, m, d))).astype(np.int64),
        representatives=draw(arrays(np.uint8, (m, 16))),
        distances=draw(arrays(np.int64, (m,))),
    )
    return made, replace(PARAMETERS, shots=max(m, 1), iterations=t, dimension=d)


def as_file(clustering: Clustering) -> dict[str, np.ndarray]:
    narrow = {"counts": np.uint32, "sums": np.int32}
    named = {field.name: getattr(clustering, field.name) for field in fields(clustering)}
    return {name: array.astype(narrow.get(name, array.dtype)) for name, array in named.items()}


@given(clusterings())
def test_safetensors_writes_the_same_bytes_and_they_come_back(made: tuple[Clustering, Parameters]) -> None:
    clustering, parameters = made

    data = record.encode(clustering)
    back = record.decode(data, parameters)

    assert data == safetensors.numpy.save(as_file(clustering))
    for field in fields(Clustering):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(clustering, field.name), strict=True)


SOUND = record.encode(fit(PARAMETERS, points(rows(range(20)))))
START = 8 + int.from_bytes(SOUND[:8], "little")
HEADER = json.loads(SOUND[8:START])


def with_header(text: str) -> bytes:
    padded = text.encode() + b" " * (-len(text) % 8)
    return len(padded).to_bytes(8, "little") + padded + SOUND[START:]


def compact(header: object) -> str:
    return json.dumps(header, separators=(",", ":"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        SOUND[:7],
        SOUND[:40],
        SOUND[:START],
        SOUND[:-1],
        SOUND + b"\0",
        b"\xff" * 8 + SOUND[8:],
        with_header(compact(HEADER) + " " * 8),
        with_header(compact(dict(reversed(HEADER.items())))),
        with_header(compact({"__metadata__": {"note": "x"}, **HEADER})),
        with_header(json.dumps(HEADER)),
        with_header(compact({**HEADER, "more": HEADER["winners"]})),
        with_header(compact(HEADER).replace('"I8"', '"U8"')),
        with_header(compact(HEADER).replace('"shape":[3]', '"shape":[4]')),
        with_header(compact(HEADER).replace('"shape":[3]', '"shape":[99999]')),
        with_header(compact(HEADER).replace('"shape":[3]', f'"shape":[{"9" * 50}]')),
        with_header(compact(HEADER).replace('"shape":[3]', '"shape":[03]')),
    ],
)
def test_every_other_form_is_refused_also_what_safetensors_would_read(data: bytes) -> None:
    assert with_header(compact(HEADER)) == SOUND

    with pytest.raises(ValueError, match="clustering"):
        record.decode(data, PARAMETERS)


@given(st.binary(max_size=200), st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_noise_and_a_changed_header_are_refused(noise: bytes, place: int, change: int) -> None:
    changed = bytearray(SOUND)
    changed[place % START] ^= change

    for data in (noise, bytes(changed)):
        with pytest.raises(ValueError, match="clustering"):
            record.decode(data, PARAMETERS)


@pytest.mark.parametrize("other", [{"shots": 2}, {"iterations": 3}, {"dimension": 4}])
def test_a_clustering_of_other_settings_is_refused(other: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="the clustering has another shape than the settings say"):
        record.decode(SOUND, replace(PARAMETERS, **other))
