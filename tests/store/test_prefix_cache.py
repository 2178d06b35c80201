"""Cached KV states never outlive what they were computed from, and never give a wrong answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stores import HOME_KEY, check, commit, make, row, rows

from edge_icl.store.findings import Problem
from edge_icl.store.lock import locked
from edge_icl.store.prefix_cache import MOST_ENTRIES, PrefixCache
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.store.disk import Store


pytestmark = pytest.mark.usefixtures("kind")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make(tmp_path / "store", rows(range(50)))


def entries(store: Store) -> list[Path]:
    return sorted((store.path / "cache").iterdir())


def bystander(store: Store) -> bytes:
    """Return the id of an example that is no representative."""
    shown = store.snapshot().clustering.representative_ids()
    return next(one.id for one in rows(range(50)) if one.id not in shown)


def test_what_is_put_in_comes_out(store: Store) -> None:
    cache = PrefixCache(store, store.snapshot(), HOME_KEY)

    cache.put("name", b"state")

    assert PrefixCache(store, store.snapshot(), HOME_KEY).get("name") == b"state"
    assert cache.get("other") is None
    assert check(store.path).differences == ()


def test_every_forget_empties_the_cache(store: Store) -> None:
    PrefixCache(store, store.snapshot(), HOME_KEY).put("name", b"state")

    commit(store, removed=[bystander(store)])

    assert entries(store) == []


def test_an_add_that_changes_no_representative_keeps_it(store: Store) -> None:
    PrefixCache(store, store.snapshot(), HOME_KEY).put("name", b"state")
    shown = store.snapshot().clustering.representative_ids()

    for number in range(50, 70):
        commit(store, added=[row(number)])
        if store.snapshot().clustering.representative_ids() == shown:
            assert PrefixCache(store, store.snapshot(), HOME_KEY).get("name") == b"state"
        else:
            assert entries(store) == []
            break
    assert number > 50


def test_a_state_of_a_store_that_has_moved_on_is_not_kept(store: Store) -> None:
    cache = PrefixCache(store, store.snapshot(), HOME_KEY)
    commit(store, removed=[bystander(store)])

    cache.put("name", b"state")

    assert entries(store) == []


def test_a_busy_store_is_not_waited_for(store: Store) -> None:
    cache = PrefixCache(store, store.snapshot(), HOME_KEY)
    with locked(store.path, timeout=1):
        cache.put("name", b"state")

    assert entries(store) == []


def test_a_damaged_entry_is_not_used_but_found(store: Store) -> None:
    cache = PrefixCache(store, store.snapshot(), HOME_KEY)
    cache.put("name", b"state")
    (entry,) = entries(store)
    entry.write_bytes(entry.read_bytes()[:-1] + b"!")

    assert cache.get("name") is None
    assert [found.problem for found in check(store.path).differences] == [Problem.DAMAGED]


def test_an_entry_that_nothing_explains_is_found_and_wiped_by_the_next_writer(store: Store) -> None:
    PrefixCache(store, store.snapshot(), HOME_KEY).put("name", b"state")
    (entry,) = entries(store)
    stray = entry.with_name("0" * 32 + entry.name[32:])
    entry.rename(stray)

    assert [found.path for found in check(store.path).differences] == [f"cache/{stray.name}"]
    with writing(store):
        pass
    assert entries(store) == []


def test_only_the_newest_entries_are_kept(store: Store) -> None:
    cache = PrefixCache(store, store.snapshot(), HOME_KEY)

    for n in range(MOST_ENTRIES + 3):
        cache.put(f"name {n}", b"state")

    assert len(entries(store)) == MOST_ENTRIES
    assert cache.get(f"name {n}") == b"state"
    assert cache.get("name 0") is None
