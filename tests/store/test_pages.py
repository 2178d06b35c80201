"""Pages, settings and manifests are the bytes that docs/format.md says, and are checked when read."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from stores import DIMENSION, SETTINGS, numbers, row, rows

from edge_icl.errors import StoreDamagedError, StoreFormatError
from edge_icl.store import pages
from edge_icl.store.manifest import Manifest
from edge_icl.store.pages import Page
from edge_icl.store.settings import Settings
from edge_icl.store.trie import Leaf


@given(st.sets(numbers, min_size=1))
def test_a_page_survives_its_bytes(chosen: set[int]) -> None:
    page = Page.of(sorted(rows(chosen), key=lambda row: row.id))

    data = pages.encode(page)
    back = pages.decode(data, DIMENSION)

    assert pages.encode(back) == data
    assert [row.text for row in back.rows()] == [row.text for row in page.rows()]
    assert all(back.find(example_id) == i for i, example_id in enumerate(page.example_ids()))


@given(st.sets(numbers, min_size=1))
def test_safetensors_reads_a_page_and_writes_the_same_bytes(chosen: set[int]) -> None:
    page = Page.of(sorted(rows(chosen), key=lambda row: row.id))
    data = pages.encode(page)

    columns = safetensors.numpy.load(data)

    assert safetensors.numpy.save(columns) == data
    assert bytes(columns["text"]) == page.text
    for name in ("ids", "vectors", "offsets"):
        np.testing.assert_array_equal(columns[name], getattr(page, name), strict=True)


def test_the_bytes_of_a_page_are_pinned() -> None:
    page = Page(
        ids=np.arange(32, dtype=np.uint8).reshape(2, 16),
        vectors=np.array([[1, -1, 0], [127, -127, 5]], np.int8),
        offsets=np.array([0, 2, 5], np.uint32),
        text=b"abcde",
    )

    assert pages.encode(page) == (
        b"\xf0\0\0\0\0\0\0\0"
        b'{"offsets":{"dtype":"U32","shape":[3],"data_offsets":[0,12]},'
        b'"vectors":{"dtype":"I8","shape":[2,3],"data_offsets":[12,18]},'
        b'"ids":{"dtype":"U8","shape":[2,16],"data_offsets":[18,50]},'
        b'"text":{"dtype":"U8","shape":[5],"data_offsets":[50,55]}} '
        b"\0\0\0\0\2\0\0\0\5\0\0\0" + bytes([1, 255, 0, 127, 129, 5]) + bytes(range(32)) + b"abcde"
    )


@given(
    st.dictionaries(numbers, st.booleans(), min_size=1),
    st.sets(numbers),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_a_page_is_cut_and_joined_as_its_rows_are(
    stays: dict[int, bool], new: set[int], cut: int, other: int
) -> None:
    some = sorted(((row(number), here) for number, here in stays.items()), key=lambda one: one[0].id)
    whole, cut = Page.of([one for one, _ in some]), min(cut, len(some))
    left = [one for one, here in some if here]
    first, last = sorted((min(cut, len(left)), min(other, len(left))))
    fresh = sorted(rows(new - {number for number, here in stays.items() if here}), key=lambda one: one.id)

    parts = [whole.part(0, cut), whole.part(cut, len(some))]
    kept = Page.joined(parts, DIMENSION).where(np.array([here for _, here in some]))
    found = kept.part(first, last).merged(fresh)

    wanted = sorted([*left[first:last], *fresh], key=lambda one: one.id)
    assert [*kept.texts()] == [one.text for one in left]
    assert len(found) == len(wanted)
    if wanted:
        assert pages.encode(found) == pages.encode(Page.of(wanted))
    else:
        assert pages.encode(found) == pages.encode(Page.joined([], DIMENSION))


@given(st.binary(max_size=80), st.integers(0, 10_000))
def test_bytes_that_are_no_page_are_refused(noise: bytes, cut: int) -> None:
    sound = pages.encode(Page.of(sorted(rows(range(3)), key=lambda row: row.id)))
    for data in (noise, sound[: cut % len(sound)], sound + noise[:1] if noise else b""):
        with pytest.raises(ValueError, match="page"):
            pages.decode(data, DIMENSION)
    with pytest.raises(ValueError, match="columns"):
        pages.decode(sound, DIMENSION + 1)


def test_settings_survive_their_bytes_and_are_checked() -> None:
    data = SETTINGS.encode()

    assert Settings.decode(data) == SETTINGS
    for wrong in (
        data[:-1],
        b"{}",
        b"[]",
        b"\xff",
        data.replace(b'"shots": 3', b'"shots": 0'),
        data.replace(b'"shots": 3', b'"shots": "3"'),
        data.replace(b'"shots": 3', b'"shots": true'),
        data.replace(b'"format": 1', b'"format": 0'),
    ):
        with pytest.raises(StoreDamagedError, match=r"store\.json"):
            Settings.decode(wrong)


def test_a_newer_format_is_named() -> None:
    with pytest.raises(StoreFormatError, match=r"format 3 .* reads up to format 2"):
        Settings.decode(SETTINGS.encode().replace(b'"format": 1', b'"format": 3'))


def test_digests_are_keyed_with_the_seed() -> None:
    assert SETTINGS.digest(b"abc") == hashlib.blake2b(b"abc", digest_size=32, key=SETTINGS.seed).hexdigest()


def test_a_manifest_survives_its_bytes_and_is_checked() -> None:
    digest = "a" * 64
    manifest = Manifest(digest, 300, digest, (Leaf("0", 140, digest), Leaf("1", 160, digest)))
    data = manifest.encode()

    assert Manifest.decode(data) == manifest
    for wrong in (
        data.replace(b"140", b"141"),
        data.replace(b'"0"', b'"00"'),
        data.replace(b'["0",140', b'["1",140'),
        data.replace(b"300", b"300.0"),
        data.replace(b"140", b"140.0"),
        data.replace(b'"0"', b'"0_0"'),
        data.replace(b"a", b"A", 1),
        data.replace(b"aa", b" a", 1),
        data.replace(b"a", b"g", 1),
        data.replace(b"\n", b" "),
        b"",
        b"[]",
        b'{"pages":[]}',
        b'{"settings":""}',
    ):
        with pytest.raises(StoreDamagedError, match="manifest"):
            Manifest.decode(wrong)


def test_a_setting_for_labels_is_in_the_manifest_only_where_there_is_one() -> None:
    digest = "a" * 64
    plain, fixed = (Manifest(digest, 0, digest, (), labels=labels) for labels in ("auto", "yes"))
    data = fixed.encode()

    assert Manifest.decode(data) == fixed
    assert data.replace(b'"labels":"yes",', b"") == plain.encode() == Manifest(digest, 0, digest, ()).encode()
    for wrong in (
        b'"auto"',
        b'"maybe"',
        b'"Yes"',
        b'""',
        b"true",
        b"null",
        b'["yes"]',
        b"{}",
        b'"yes","yes":1',
    ):
        with pytest.raises(StoreDamagedError, match="manifest"):
            Manifest.decode(data.replace(b'"yes"', wrong))
