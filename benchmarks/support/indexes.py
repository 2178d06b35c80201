"""Index libraries behind the interface of `rivals.py`.

An index holds numbers and vectors only; as these libraries' users do, a JSON file beside it keeps the texts.
Both are written anew with every change: none of the three changes a saved file in place. They get one thread,
since with more of them equal calls make different graphs. One choice is against a default: usearch stores
float32, since what it stores otherwise depends on the processor.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from support.rivals import DIMENSION, Rows, System, unit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ROOM = 16_384
"""How many vectors an hnswlib index is made for; its file says so."""


def number(id: str) -> int:
    """Return an id for systems that want 63 bits."""
    return int(id[:16], 16) >> 1


class Library(System):
    """An index of numbers and vectors, and a JSON file with the texts."""

    flushed = "no"

    def __init__(self, folder: Path) -> None:
        self.path, self._beside = folder / "index", folder / "texts.json"
        self._texts: dict[str, list[str]] = {}
        if self._beside.exists():
            self._texts = json.loads(self._beside.read_text(encoding="utf-8"))

    def keep(self, rows: Rows) -> NDArray[np.int64]:
        """Keep the texts and return the numbers of the examples."""
        numbers = [number(id) for id in rows.ids]
        texts = ([example.input, example.output] for example in rows.examples)
        self._texts |= dict(zip(map(str, numbers), texts, strict=True))
        return np.array(numbers, np.int64)

    def drop(self, ids: list[str]) -> NDArray[np.int64]:
        numbers = [number(id) for id in ids]
        for one in numbers:
            del self._texts[str(one)]
        return np.array(numbers, np.int64)

    def save(self) -> None:
        self._beside.write_text(json.dumps(self._texts, ensure_ascii=False), encoding="utf-8")

    def close(self) -> None:
        self.save()

    @staticmethod
    def shapes(id: str) -> list[bytes]:
        return [str(number(id)).encode(), number(id).to_bytes(8, "little")]


class Faiss(Library):
    name = "faiss, `IndexIDMap2` of `IndexFlatL2`"
    packages, plain = ("faiss-cpu",), "`remove_ids`, `write_index`"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._faiss = faiss = import_module("faiss")
        if self.path.exists():
            self._index = faiss.read_index(str(self.path))
        else:
            self._index = faiss.IndexIDMap2(faiss.IndexFlatL2(DIMENSION))

    def add(self, rows: Rows) -> None:
        self._index.add_with_ids(rows.units, self.keep(rows))

    def delete(self, ids: list[str]) -> None:
        self._index.remove_ids(self.drop(ids))

    def search(self, code: NDArray[np.int8]) -> list[str]:
        return [str(one) for one in self._index.search(unit(code)[None], 10)[1][0]]

    def save(self) -> None:
        super().save()
        self._faiss.write_index(self._index, str(self.path))


def hnsw_replace(folder: Path, spare: Rows) -> None:
    system = Hnswlib(folder)
    system.add(spare, replace=True)
    system.close()


class Hnswlib(Library):
    name, packages, plain = "hnswlib", ("hnswlib",), "`mark_deleted`, `save_index`"
    cleanups: ClassVar = {"as many others added, `replace_deleted=True`": hnsw_replace}
    exact = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._index = import_module("hnswlib").Index(space="l2", dim=DIMENSION)
        if self.path.exists():
            self._index.load_index(str(self.path), max_elements=ROOM, allow_replace_deleted=True)
        else:
            self._index.init_index(max_elements=ROOM, allow_replace_deleted=True)

    def add(self, rows: Rows, *, replace: bool = False) -> None:
        self._index.add_items(rows.units, self.keep(rows), num_threads=1, replace_deleted=replace)

    def delete(self, ids: list[str]) -> None:
        for one in self.drop(ids):
            self._index.mark_deleted(one)

    def search(self, code: NDArray[np.int8]) -> list[str]:
        return [str(one) for one in self._index.knn_query(unit(code), k=10)[0][0]]

    def save(self) -> None:
        super().save()
        self._index.save_index(str(self.path))


class Usearch(Library):
    name, packages, plain = "usearch", ("usearch",), "`remove`, `save`"
    exact, compact = False, False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._index = import_module("usearch.index").Index(ndim=DIMENSION, metric="l2sq", dtype="f32")
        if self.path.exists():
            self._index.load(str(self.path))

    def add(self, rows: Rows) -> None:
        self._index.add(self.keep(rows), rows.units, threads=1)

    def delete(self, ids: list[str]) -> None:
        self._index.remove(self.drop(ids), compact=self.compact, threads=1)

    def search(self, code: NDArray[np.int8]) -> list[str]:
        return [str(one) for one in self._index.search(unit(code), 10).keys]

    def save(self) -> None:
        super().save()
        self._index.save(str(self.path))


class UsearchCompact(Usearch):
    plain = "`remove(compact=True)`, `save`"
    compact = True


INDEXES: tuple[type[System], ...] = (Faiss, Hnswlib, Usearch, UsearchCompact)
