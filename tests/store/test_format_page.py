"""docs/format.md suffices: a reader and a writer made from the page alone give the library's bytes."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import independent
import numpy as np
import pytest
import stores
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_icl import Example
from edge_icl.store.manifest import LabelsSetting
from edge_icl.store.pages import Row
from edge_icl.store.settings import Settings

pytestmark = pytest.mark.usefixtures("kind")

AWKWARD = '"\\/\b\t\n\v\f\r\x01\x1b\x1f \x7f\x80\x85\xa0\u2028\u2029\ufeff\u200d\U0001f600\U0010ffffe\u0301é'
allowed = st.sampled_from(AWKWARD) | st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(allowed, min_size=1, max_size=12).filter(lambda text: not text.isspace())


@st.composite
def all_settings(draw: st.DrawFn) -> Settings:
    numbers = {name: draw(st.integers(1, 5)) for name in ("dimension", "shots", "iterations")}
    task = unicodedata.normalize("NFC", draw(texts | st.just(" "))).strip()
    return Settings(
        seed=draw(st.binary(min_size=32, max_size=32)),
        encoder=draw(texts),
        encoder_digest=draw(st.text("0123456789abcdef", min_size=1)),
        scale=draw(st.integers(1, 65535)),
        step=draw(st.integers(1, 5) | st.integers(1, 300) | st.just(65535)),
        task=task,
        **numbers,
    )


@st.composite
def sets(draw: st.DrawFn, dimension: int) -> list[independent.Example]:
    component = st.sampled_from((-127, -1, 0, 1, 127)) | st.integers(-127, 127)
    vectors = st.tuples(*[component] * dimension)
    some = st.builds(
        independent.Example,
        texts,
        texts,
        st.none() | texts,
        st.lists(texts, max_size=3).map(tuple),
        vectors | st.just((1,) * dimension),
    )
    return draw(
        st.lists(some, max_size=12, unique_by=lambda one: independent.canonical(independent.normalised(one)))
    )


def by_the_library(
    path: Path, how: Settings, examples: list[independent.Example], labels: LabelsSetting
) -> dict[str, bytes]:
    """Return the files of a store that was given these examples and, for a while, another one and setting."""
    found = []
    for one in examples:
        example = Example.create(one.input, one.output, tags=one.tags, source=one.source)
        found.append(Row(example.id(how.seed), np.array(one.vector, np.int8), example.canonical()))
    gone = Row(b"\x5a" * 16, np.full(how.dimension, 3, np.int8), Example.create("gone", "gone").canonical())
    store = stores.make(path, [*found[1:], gone], settings=how, labels="no")
    stores.commit(store, added=found[:1], removed=[gone.id], labels=labels)
    return {name: data for name, data in stores.tree(path).items() if not name.endswith("/")}


def as_fields(how: Settings) -> dict[str, object]:
    """Return settings as the page names them."""
    names = ("encoder", "encoder_digest", "dimension", "scale", "shots", "iterations", "step")
    fields = {"format": 1, "seed": how.seed.hex(), **{name: getattr(how, name) for name in names}}
    return fields | ({"task": how.task} if how.task else {})


def lock(how: Settings) -> independent.Lock | None:
    quick = stores.QUICK
    return (
        independent.Lock(stores.PASSPHRASE, quick.memory, quick.passes, quick.lanes)
        if stores.encrypted
        else None
    )


def check(
    path: Path, how: Settings, examples: list[independent.Example], labels: LabelsSetting = "auto"
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if stores.encrypted:
            patch.setattr(
                stores, "KEY", stores.Key.from_seed(stores.PASSPHRASE, how.seed, stretch=stores.QUICK)
            )
        ours = by_the_library(path, how, examples, labels)
    theirs = independent.write(as_fields(how), examples, lock(how), labels=labels)

    assert theirs == ours
    again, held = independent.read(ours, stores.PASSPHRASE)
    assert (again, independent.labels_in(ours, stores.PASSPHRASE)) == (as_fields(how), labels)
    assert set(held) == {independent.normalised(one) for one in examples}
    assert independent.write(again, held, lock(how), labels=labels) == ours


@given(data=st.data())
@settings(max_examples=60)
def test_a_writer_made_from_the_page_gives_the_same_bytes_and_a_reader_reads_them(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    how = data.draw(all_settings())

    path = tmp_path_factory.mktemp("page") / "store"
    check(path, how, data.draw(sets(how.dimension)), data.draw(stores.label_settings))


@pytest.mark.parametrize(("count", "shots", "step"), [(256, 3, 20), (257, 8, 48), (700, 5, 1), (0, 4, 7)])
def test_so_it_is_with_several_pages(tmp_path: Path, count: int, shots: int, step: int) -> None:
    rng = np.random.default_rng(count)
    vectors = np.clip(rng.normal(0, 60, (count, 4)), -127, 127).astype(int).tolist()
    held = [
        independent.Example(f"input {i}", f"naïve {i % 3}", None, (), tuple(v)) for i, v in enumerate(vectors)
    ]
    how = Settings(
        bytes(range(32)), "e", "d", 4, 400, shots=shots, iterations=3, step=step, task="Ordne “ein” 😀"
    )

    check(tmp_path / "store", how, held)


def test_every_character_is_written_as_the_page_says(tmp_path: Path) -> None:
    """All but NUL and surrogates; those that NFC makes into others come as what they become."""
    codes = [*range(1, 0x3000), 0xFEFF, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF]
    held = [
        independent.Example(f"x{''.join(map(chr, codes[i : i + 64]))}", "y", None, (), (1, 2))
        for i in range(0, len(codes), 64)
    ]
    how = Settings(bytes(32), "".join(map(chr, codes[:255])), "d", 2, 1, shots=2, iterations=1, step=9)

    check(tmp_path / "store", how, held)


def test_the_reader_and_the_writer_share_nothing_with_ours() -> None:
    tree = ast.parse(Path(independent.__file__).read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in names} == {
        "__future__", "cryptography", "decimal", "hashlib", "json", "struct", "typing", "unicodedata",
    }  # fmt: skip
