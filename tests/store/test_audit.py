"""verify is a measurement: every control that is planted must be found, and named."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from faults import Faulty
from safetensors.numpy import load, save
from stores import SETTINGS, check, make, replace_file, row, rows, tree

from edge_icl.cluster import record
from edge_icl.errors import NotAStoreError, StoreAccessError, StoreNotFoundError
from edge_icl.store import pages
from edge_icl.store.disk import Store
from edge_icl.store.findings import Problem
from edge_icl.store.manifest import Manifest, clustering_file, page_file
from edge_icl.store.trie import Leaf
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytestmark = pytest.mark.usefixtures("kind")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of 600 examples in several pages."""
    return make(tmp_path / "store", rows(range(600)))


def page_of(store: Store, i: int = 0) -> Path:
    return store.path / page_file(store.snapshot().manifest.pages[i].digest)


def rename(store: Store, old: str, new: bytes, path: Callable[[str], str]) -> None:
    """Replace a file by other content, with the format in mind: its name and the manifest follow."""
    digest = store.settings.digest(new)
    replace_file(store, path(old), path(digest), new)
    change_file(store, "manifest", old.encode(), digest.encode())


def change_file(store: Store, name: str, old: bytes, new: bytes) -> None:
    """Replace bytes in a file's content in the same way."""
    content = store.folder.read(name)
    assert old in content
    replace_file(store, name, name, content.replace(old, new))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_sound_store_has_no_findings_and_is_left_as_it_was(store: Store) -> None:
    before = tree(store.path)

    for deep in (False, True):
        report = check(store.path, deep=deep)
        assert (report.differences, report.root, report.examples) == ((), store.snapshot().root, 600)

    assert tree(store.path) == before
    assert [path.name for path in store.path.parent.iterdir()] == ["store"]


def plant_text(store: Store) -> None:
    (store.path / "notes.txt").write_text(json.dumps({"input": "input 999"}))


def plant_vector(store: Store) -> None:
    (store.path / "clustering" / "vector.bin").write_bytes(row(999).vector.tobytes())


def plant_id(store: Store) -> None:
    (store.path / "cache" / row(999).id.hex()).write_bytes(row(999).id)


def plant_page(store: Store) -> None:
    data = pages.encode(pages.Page.of([row(999)]))
    store.folder.create({page_file(store.settings.digest(data)): data})


def plant_folder(store: Store) -> None:
    (store.path / "pages" / "old").mkdir()


def plant_rebuild(store: Store) -> None:
    (store.path / "rebuild").mkdir()


def plant_draft(store: Store) -> None:
    shutil.copy(store.path / "manifest", store.path / "manifest.new")


def swap_pages(store: Store) -> None:
    one, other = page_of(store, 0), page_of(store, 1)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def truncate_page(store: Store) -> None:
    os.truncate(page_of(store), 500)


def flip_page(store: Store) -> None:
    flip(page_of(store))


def flip_clustering(store: Store) -> None:
    flip(store.path / clustering_file(store.snapshot().manifest.clustering))


def remove_page(store: Store) -> None:
    page_of(store).unlink()


def wrong_count(store: Store) -> None:
    change_file(store, "manifest", b'"count":600', b'"count":599')


def shift_counts(store: Store) -> None:
    current = store.snapshot().manifest
    first, second, *rest = current.pages
    moved = (first._replace(count=first.count - 1), second._replace(count=second.count + 1))
    replace_file(store, "manifest", "manifest", replace(current, pages=(*moved, *rest)).encode())


def link_page(store: Store) -> None:
    page = page_of(store)
    page.symlink_to(page.rename(store.path.parent / "elsewhere"))


def hide(store: Store, name: str) -> bytes:
    """Return a file of arrays with a text in its header: read, they are the same arrays."""
    return save(load(store.folder.read(name)), metadata={"note": "input 999"})


def hide_in_page(store: Store) -> None:
    digest = page_of(store).stem
    rename(store, digest, hide(store, page_file(digest)), page_file)


def hide_in_clustering(store: Store) -> None:
    digest = store.snapshot().manifest.clustering
    rename(store, digest, hide(store, clustering_file(digest)), clustering_file)


def hide_in_settings(store: Store) -> None:
    before = store.settings.digest(store.folder.read("store.json"))
    change_file(store, "store.json", b'"format"', b'"a": "input 999",\n  "format"')
    after = store.settings.digest(store.folder.read("store.json"))
    change_file(store, "manifest", before.encode(), after.encode())


def hide_in_manifest(store: Store) -> None:
    change_file(store, "manifest", b'"clustering"', b'"a":"input 999","clustering"')


def wrong_seed(store: Store) -> None:
    change_file(store, "store.json", store.settings.seed.hex().encode(), b"ff" * 32)


def wrong_shots(store: Store) -> None:
    change_file(store, "store.json", b'"shots": 3', b'"shots": 4')


def reorder_page(store: Store) -> None:
    leaf = store.snapshot().manifest.pages[0]
    held = list(store.snapshot().page_cache.page(leaf).rows())
    rename(store, leaf.digest, pages.encode(pages.Page.of(held[::-1])), page_file)


def change_text(store: Store) -> None:
    leaf = store.snapshot().manifest.pages[0]
    held = list(store.snapshot().page_cache.page(leaf).rows())
    held[0] = held[0]._replace(text=row(999).text)
    rename(store, leaf.digest, pages.encode(pages.Page.of(held)), page_file)


def uncanonical_text(store: Store) -> None:
    leaf = store.snapshot().manifest.pages[0]
    held = list(store.snapshot().page_cache.page(leaf).rows())
    held[0] = held[0]._replace(text=held[0].text.replace(b'"output"', b' "output"'))
    rename(store, leaf.digest, pages.encode(pages.Page.of(held)), page_file)


def misplace_row(store: Store) -> None:
    first, second = store.snapshot().manifest.pages[:2]
    held = [
        *list(store.snapshot().page_cache.page(first).rows())[1:],
        next(store.snapshot().page_cache.page(second).rows()),
    ]
    rename(store, first.digest, pages.encode(pages.Page.of(held)), page_file)


def alter_clustering(store: Store) -> None:
    digest = store.snapshot().manifest.clustering
    clustering = store.snapshot().clustering
    clustering.sums[0, 0, 0] += 1
    rename(store, digest, record.encode(clustering), clustering_file)


def name_forgotten(store: Store) -> None:
    snapshot = store.snapshot()
    named = snapshot.clustering.representatives.copy()
    named[0] = np.frombuffer(row(999).id, np.uint8)
    changed = replace(snapshot.clustering, representatives=named)
    rename(store, snapshot.manifest.clustering, record.encode(changed), clustering_file)


def impossible_vector(store: Store) -> None:
    leaf = store.snapshot().manifest.pages[0]
    held = list(store.snapshot().page_cache.page(leaf).rows())
    held[0] = held[0]._replace(vector=np.full_like(held[0].vector, -128))
    rename(store, leaf.digest, pages.encode(pages.Page.of(held)), page_file)


def alter_vector(store: Store) -> None:
    leaf = store.snapshot().manifest.pages[0]
    held = list(store.snapshot().page_cache.page(leaf).rows())
    held[0] = held[0]._replace(vector=np.zeros_like(held[0].vector))
    rename(store, leaf.digest, pages.encode(pages.Page.of(held)), page_file)


CONTROLS = [
    (plant_text, Problem.STRAY, "notes.txt", False),
    (plant_vector, Problem.STRAY, "clustering/vector.bin", False),
    (plant_id, Problem.STRAY, f"cache/{row(999).id.hex()}", False),
    (plant_page, Problem.STRAY, "pages/", False),
    (plant_folder, Problem.STRAY, "pages/old", False),
    (plant_rebuild, Problem.STRAY, "rebuild", False),
    (plant_draft, Problem.STRAY, "manifest.new", False),
    (swap_pages, Problem.DAMAGED, "pages/", False),
    (truncate_page, Problem.DAMAGED, "pages/", False),
    (flip_page, Problem.DAMAGED, "pages/", False),
    (flip_clustering, Problem.DAMAGED, "clustering/", False),
    (remove_page, Problem.MISSING, "pages/", False),
    (wrong_count, Problem.DAMAGED, "manifest", False),
    (shift_counts, Problem.INCONSISTENT, "pages/", False),
    (link_page, Problem.LINK, "pages/", False),
    (hide_in_page, Problem.DAMAGED, "pages/", False),
    (hide_in_clustering, Problem.DAMAGED, "clustering/", False),
    (hide_in_settings, Problem.DAMAGED, "store.json", False),
    (hide_in_manifest, Problem.DAMAGED, "manifest", False),
    (wrong_seed, Problem.DAMAGED, "store.json", False),
    (wrong_shots, Problem.DAMAGED, "store.json", False),
    (reorder_page, Problem.INCONSISTENT, "pages/", False),
    (change_text, Problem.INCONSISTENT, "pages/", False),
    (uncanonical_text, Problem.INCONSISTENT, "pages/", False),
    (misplace_row, Problem.INCONSISTENT, "pages/", False),
    (name_forgotten, Problem.INCONSISTENT, "clustering/", False),
    (impossible_vector, Problem.INCONSISTENT, "pages/", False),
    (alter_clustering, Problem.DIFFERENT, "clustering/", True),
    (alter_vector, Problem.DIFFERENT, "clustering/", True),
]


@pytest.mark.parametrize(
    ("plant", "problem", "path", "deep"), CONTROLS, ids=lambda x: getattr(x, "__name__", "")
)
def test_every_control_is_found_and_named(
    store: Store, plant: Callable[[Store], None], problem: Problem, path: str, deep: bool
) -> None:
    plant(store)

    findings = check(store.path, deep=deep).differences

    assert any(found.problem == problem and found.path.startswith(path) for found in findings), findings


def test_a_check_that_was_killed_leaves_nothing_to_the_next_writer(store: Store) -> None:
    before = tree(store.path)
    shutil.copytree(store.path, store.path / "rebuild")

    with writing(store):
        pass

    assert tree(store.path) == before


def test_pages_that_do_not_follow_the_rule_are_found(store: Store) -> None:
    manifest = store.snapshot().manifest
    leaf = manifest.pages[0]
    held = list(store.snapshot().page_cache.page(leaf).rows())
    halves = []
    for bit in "01":
        part = [one for one in held if f"{int.from_bytes(one.id):0128b}".startswith(leaf.path + bit)]
        data = pages.encode(pages.Page.of(part))
        store.folder.create({page_file(store.settings.digest(data)): data})
        halves.append(Leaf(leaf.path + bit, len(part), store.settings.digest(data)))
    split = Manifest(manifest.settings, 600, manifest.clustering, (*halves, *manifest.pages[1:]))
    replace_file(store, "manifest", "manifest", split.encode())

    (finding,) = check(store.path).differences

    assert finding.path == "manifest"


def test_an_unreadable_file_never_reads_as_clean(store: Store) -> None:
    page = page_of(store)
    page.unlink()
    page.mkdir()

    assert any(found.problem == Problem.UNREADABLE for found in check(store.path).differences)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreNotFoundError):
        check(tmp_path / "nothing")
    with pytest.raises(NotAStoreError):
        check(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_settings_are_covered_by_the_root(tmp_path: Path) -> None:
    one = make(tmp_path / "one", rows(range(9)))
    other = make(tmp_path / "other", rows(range(9)), settings=type(SETTINGS)(**{**_fields(), "scale": 101}))

    assert one.snapshot().root != other.snapshot().root


def _fields() -> dict[str, object]:
    return {name: getattr(SETTINGS, name) for name in SETTINGS.__dataclass_fields__}


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_what_this_process_lacks_is_no_difference(store: Store, number: int) -> None:
    for n in itertools.count():
        files = Faulty(n, error=OSError(number, os.strerror(number)))
        try:
            assert check(store.path, files=files).differences == ()
        except StoreAccessError:
            assert files.fired
        if not files.fired:
            break
    assert n > 5
