"""Rows in any order come back sorted by id, each once, from memory or through a file that says nothing."""

from __future__ import annotations

import errno
import tempfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import DIMENSION, commit, little_memory, make, row, rows, tree, vectors

from edge_icl.errors import StoreAccessError
from edge_icl.store import plan, spool
from edge_icl.store.pages import Row
from edge_icl.store.spool import Batch, spooled
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

some_rows = st.lists(
    st.builds(
        Row,
        st.integers(0, 12).map(lambda n: bytes([n % 5]) + bytes(14) + bytes([n])),  # zeros at the end too
        vectors.map(lambda one: np.array(one, np.int8)),
        st.binary(min_size=1, max_size=40),
    )
)


def shown(given: Any) -> list[tuple[bytes, bytes, bytes]]:
    return [(one.id, one.vector.tobytes(), one.text) for one in given]


def last(given: list[Row]) -> list[tuple[bytes, bytes, bytes]]:
    """Return what is expected: the last row of each id, sorted."""
    return shown(one for _, one in sorted({one.id: one for one in given}.items()))


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def handles() -> list[IO[bytes]]:
    """The temporary files that were opened under `file`."""
    return []


@pytest.fixture
def file(tmp_path: Path, handles: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary file, with a name by which a test can look at it."""
    path = tmp_path / "spool"

    def opened(**_: object) -> IO[bytes]:
        handles.append(path.open("w+b"))
        return handles[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", opened)
    return path


@given(some_rows, st.integers(1, 1500), st.integers(1, 100), st.data())
def test_rows_come_back_sorted_and_once_however_little_memory_there_is(
    tmp_path_factory: pytest.TempPathFactory, given: list[Row], held: int, part: int, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "MOST_HELD", held)
        patch.setattr(spool, "PART", part)
        with spooled(iter(given), path) as batch:
            assert shown(batch) == last(given)
            kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(batch), max_size=len(batch))), bool)
            expected = [one for one, stays in zip(last(given), kept, strict=True) if stays]
            assert shown(batch.where(kept)) == shown(batch.where(kept)) == expected
            assert [one.tobytes() for one in batch.where(kept).ids] == [id for id, _, _ in expected]
            with spooled(batch, path) as again:
                assert again is batch


def test_which_of_two_rows_stays_is_the_callers_choice_in_memory_and_in_runs(tmp_path: Path) -> None:
    twice = [*rows(range(9)), *(row(n)._replace(text=b"again") for n in range(9))]

    for held in (1 << 20, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(spool, "MOST_HELD", held)
            with spooled(twice, tmp_path / "store", choose=lambda earlier, _: earlier) as batch:
                assert shown(batch) == last(twice[:9])


def test_few_rows_need_no_file(tmp_path: Path, file: Path) -> None:
    with spooled(rows(range(40)), tmp_path / "store") as batch:
        assert len(batch) == 40
    assert not file.exists()


def test_nothing_can_be_read_in_the_file(tmp_path: Path, file: Path) -> None:
    given = rows(range(40))
    with little_memory(), spooled(given, tmp_path / "store") as batch:
        assert len({*batch.ids[:, 0].tolist()}) > 1
        found = file.read_bytes()
        assert shown(batch) == last(given)

    assert len(found) > sum(len(one.text) + DIMENSION for one in given)
    secret = [form for one in given for form in (one.text, one.id, one.text[10:20])]
    assert not any(form in found for form in [*secret, b"offsets", bytes(8)])


def test_the_file_has_no_name_when_anything_is_in_it(tmp_path: Path) -> None:
    seen: list[str] = []

    def watched() -> Iterator[Row]:
        for one in rows(range(40)):
            seen.extend(names(tmp_path))
            yield one

    with little_memory(), spooled(watched(), tmp_path / "store") as batch:
        seen.extend(names(tmp_path))
        assert len(batch) == 40
    assert seen == names(tmp_path) == []


def test_the_file_is_closed_however_the_block_ends(
    tmp_path: Path, file: Path, handles: list[IO[bytes]]
) -> None:
    def broken() -> Iterator[Row]:
        yield from rows(range(10))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), little_memory(), spooled(broken(), tmp_path / "store"):
        pass
    with little_memory(), spooled(rows(range(10)), tmp_path / "store"):
        assert not handles[-1].closed

    assert [one.closed for one in handles] == [True, True]
    assert file.stat().st_size


def test_where_no_file_may_be_made_beside_the_store_the_systems_folder_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = tempfile.TemporaryFile, []

    def refused(**how: Any) -> Any:
        asked.append(how)
        if how:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real()

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    given = rows(range(10))
    with little_memory(), spooled(given, tmp_path / "not" / "there" / "store") as batch:
        assert shown(batch) == last(given)
    assert asked == [{"dir": tmp_path}, {}]


@pytest.mark.parametrize("moment", ["making", "writing"])
def test_a_full_disk_is_told_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class Full:
        def close(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def seek(self, _: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    def make_one(**_: object) -> Full:
        if moment == "making":
            raise OSError(errno.ENOSPC, "No space left on device")
        return Full()

    store = make(tmp_path / "store", rows(range(5)))
    before = tree(store.path)
    monkeypatch.setattr(tempfile, "TemporaryFile", make_one)

    with little_memory(), pytest.raises(StoreAccessError) as told:
        commit(store, added=rows(range(5, 30)))

    assert "No space left" in told.value.message
    assert "nothing was changed" in told.value.hint
    assert tree(store.path) == before


def test_a_disk_that_gives_other_bytes_is_told_and_changes_nothing(tmp_path: Path, file: Path) -> None:
    store = make(tmp_path / "store", rows(range(5)))
    before = tree(store.path)

    with little_memory(), spooled(rows(range(5, 30)), store.path) as batch:
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(StoreAccessError, match="is not what was written"), writing(store) as writer:
            writer.commit(added=batch)

    assert tree(store.path) == before


def test_a_page_too_many_is_written_before_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the crash tests: with little memory pages are there before the manifest names them."""
    store = make(tmp_path / "store")
    seen = []
    real = plan.Plan._clustering

    def looking(self: plan.Plan, *given: Any) -> Any:
        seen.append(len(names(store.path / "pages")))
        return real(self, *given)

    monkeypatch.setattr(plan.Plan, "_clustering", looking)
    with little_memory():
        commit(store, added=Batch.of(sorted(rows(range(1500)), key=lambda one: one.id)))
    made = len(names(store.path / "pages"))
    commit(store, added=rows(range(1500, 1600)))

    assert seen[0] == made > 5
    assert seen[1] == made
