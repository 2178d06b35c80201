"""Databases that keep texts with their vectors, and edge-icl, behind one small interface, for `ghosts.py`.

Each is used as its own documentation shows, with squared Euclidean distance. One choice is against a default:
LanceDB's strings are stored uncompressed, so that a search for bytes can find them.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from support.common import SEED

from edge_icl import Example, Memory
from edge_icl.search.finding import nearest
from edge_icl.store.disk import Store
from edge_icl.store.pages import Row
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_icl.store.snapshot import Snapshot

DIMENSION = 384


@dataclass(frozen=True, slots=True)
class Rows:
    """Examples as every system is given them.

    Attributes:
        examples: without tags and sources.
        codes: i8[n, d], their vectors as the encoder made them.
    """

    examples: list[Example]
    codes: NDArray[np.int8]

    def take(self, which: Sequence[int]) -> Rows:
        return Rows([self.examples[i] for i in which], self.codes[list(which)])

    @property
    def ids(self) -> list[str]:
        return [example.id(SEED).hex() for example in self.examples]

    @property
    def units(self) -> NDArray[np.float32]:
        return unit(self.codes)


def unit(codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return vectors as float32 of length one."""
    exact = codes.astype(np.float32)
    scaled: NDArray[np.float32] = exact / np.linalg.norm(exact, axis=-1, keepdims=True)
    return scaled


class System(Protocol):
    """An open store in a folder of its own; made where nothing is.

    Attributes:
        name: what the table calls it.
        packages: what must be installed, as pip calls it.
        plain: its documented delete.
        cleanups: its documented clean-ups, done one after another, each on a closed store with spare rows.
        flushed: whether files are flushed to the disk when a delete returns (fsync calls, counted with strace).
        exact: whether a search compares every vector; otherwise it walks a graph, and may miss some.
        integer_vectors: whether it stores the encoder's int8 vectors; otherwise float32 of length one.
    """

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    plain: ClassVar[str]
    cleanups: ClassVar[dict[str, Callable[[Path, Rows], None]]] = {}
    flushed: ClassVar[str]
    exact: ClassVar[bool] = True
    integer_vectors: ClassVar[bool] = False

    def __init__(self, folder: Path) -> None: ...

    def add(self, rows: Rows) -> None: ...

    def delete(self, ids: list[str]) -> None:
        """Delete, as far as the call itself goes; see `save`."""

    def search(self, code: NDArray[np.int8]) -> list[str]:
        """Return the ids of the nearest ten, or their numbers."""

    def save(self) -> None:
        """Write what `add` and `delete` left in memory; nothing for those that write at once."""

    def close(self) -> None:
        """Close cleanly."""

    @staticmethod
    def shapes(id: str) -> list[bytes]:
        """Return the bytes that an id may be stored as."""
        return [id.encode(), bytes.fromhex(id)]


class EdgeIcl(System):
    name, packages, plain = "edge-icl", ("edge-icl",), "`forget`"
    flushed = "yes, and wiped"
    integer_vectors = True

    def __init__(self, folder: Path) -> None:
        path = folder / "store"
        self._memory = Memory.open(path, create=False) if path.exists() else Memory.create(path, seed=SEED)
        self._store = Store.open(path)
        self._snapshot: Snapshot | None = None

    def add(self, rows: Rows) -> None:
        keyed = zip(rows.examples, rows.codes, strict=True)
        with writing(self._store) as writer:
            writer.commit(added=[Row(one.id(SEED), code, one.canonical()) for one, code in keyed])

    def delete(self, ids: list[str]) -> None:
        self._memory.forget(*ids)

    def search(self, code: NDArray[np.int8]) -> list[str]:
        now = self._store.snapshot()
        if now is not self._snapshot:
            self._snapshot, self._points = now, now.points()
        return [held.id for held in nearest(now, self._points, code, 10)]

    def close(self) -> None:
        self._memory.close()


def chroma_vacuum(folder: Path, _: Rows) -> None:
    command = [str(Path(sys.executable).with_name("chroma")), "vacuum", "--path", str(folder), "--force"]
    subprocess.run(command, check=True, capture_output=True)


class Chroma(System):
    name, packages, plain = "Chroma, persistent client", ("chromadb",), "`collection.delete(ids)`"
    cleanups: ClassVar = {"`chroma vacuum`": chroma_vacuum}
    flushed = "yes"
    exact = False

    def __init__(self, folder: Path) -> None:
        chromadb = import_module("chromadb")
        settings = chromadb.Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(str(folder), settings=settings)
        self._collection = self._client.get_or_create_collection("examples", embedding_function=None)

    def add(self, rows: Rows) -> None:
        size = self._client.get_max_batch_size()
        for start in range(0, len(rows.examples), size):
            part = rows.take(range(start, min(start + size, len(rows.examples))))
            texts = [example.input for example in part.examples]
            labels = [{"output": example.output} for example in part.examples]
            self._collection.add(ids=part.ids, embeddings=part.units, documents=texts, metadatas=labels)

    def delete(self, ids: list[str]) -> None:
        self._collection.delete(ids=ids)

    def search(self, code: NDArray[np.int8]) -> list[str]:
        found: list[str] = self._collection.query(query_embeddings=[unit(code)], n_results=10)["ids"][0]
        return found

    def close(self) -> None:
        self._client.close()


def sqlite_vacuum(folder: Path, _: Rows) -> None:
    system = SqliteVec(folder)
    system.execute("VACUUM")
    system.close()


class SqliteVec(System):
    """Through apsw, since the sqlite3 module of many Pythons cannot load extensions."""

    name, packages, plain = "sqlite-vec", ("sqlite-vec", "apsw"), "`DELETE`"
    cleanups: ClassVar = {"`VACUUM`": sqlite_vacuum}
    flushed = "yes"
    secure = "OFF"

    def __init__(self, folder: Path) -> None:
        connection = import_module("apsw").Connection(str(folder / "examples.db"))
        connection.enable_load_extension(True)
        connection.load_extension(import_module("sqlite_vec").loadable_path())
        self._connection, self.execute = connection, connection.execute
        self.execute(f"PRAGMA secure_delete={self.secure}")
        columns = f"id TEXT PRIMARY KEY, embedding FLOAT[{DIMENSION}], +input TEXT, +output TEXT"
        self.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS examples USING vec0({columns})")

    def add(self, rows: Rows) -> None:
        with self._connection:
            for id, vector, example in zip(rows.ids, rows.units, rows.examples, strict=True):
                values = (id, vector.tobytes(), example.input, example.output)
                self.execute("INSERT INTO examples (id, embedding, input, output) VALUES (?, ?, ?, ?)", values)

    def delete(self, ids: list[str]) -> None:
        with self._connection:
            self._connection.executemany("DELETE FROM examples WHERE id = ?", [(id,) for id in ids])

    def search(self, code: NDArray[np.int8]) -> list[str]:
        query = "SELECT id, input, output FROM examples WHERE embedding MATCH ? AND k = 10 ORDER BY distance"
        return [row[0] for row in self.execute(query, (unit(code).tobytes(),))]

    def close(self) -> None:
        self._connection.close()


class SqliteVecSecure(SqliteVec):
    name, plain = "sqlite-vec, `secure_delete=ON`", "`DELETE`"
    secure = "ON"


def lance_optimize(folder: Path, _: Rows) -> None:
    Lance(folder).table.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)


def lance_compact(folder: Path, _: Rows) -> None:
    table = Lance(folder).table
    table.compact_files(materialize_deletions_threshold=0.0)
    table.cleanup_old_versions(timedelta(0), delete_unverified=True)


class Lance(System):
    name, packages, plain = "LanceDB, one add", ("lancedb", "pylance"), "`table.delete`"
    cleanups: ClassVar = {
        "`optimize(cleanup_older_than=timedelta(0))`": lance_optimize,
        "`compact_files(materialize_deletions_threshold=0)`, `cleanup_old_versions`": lance_compact,
    }
    flushed = "no"
    parts = 1

    def __init__(self, folder: Path) -> None:
        pa = import_module("pyarrow")
        plain = {"lance-encoding:compression": "none"}
        columns = [pa.field(name, pa.string(), metadata=plain) for name in ("id", "input", "output")]
        schema = pa.schema([*columns, pa.field("vector", pa.list_(pa.float32(), DIMENSION))])
        self.table = import_module("lancedb").connect(folder).create_table("x", schema=schema, exist_ok=True)

    def add(self, rows: Rows) -> None:
        cells = zip(rows.ids, rows.examples, rows.units, strict=True)
        records: list[dict[str, Any]] = [
            {"id": id, "input": one.input, "output": one.output, "vector": vector} for id, one, vector in cells
        ]
        size = -(-len(records) // self.parts)
        for start in range(0, len(records), size):
            self.table.add(records[start : start + size])

    def delete(self, ids: list[str]) -> None:
        self.table.delete(f"id IN ({', '.join(map(repr, ids))})")

    def search(self, code: NDArray[np.int8]) -> list[str]:
        return [row["id"] for row in self.table.search(unit(code)).limit(10).to_list()]


class LanceParts(Lance):
    name = "LanceDB, four adds"
    parts = 4


DATABASES: tuple[type[System], ...] = (EdgeIcl, Chroma, SqliteVec, SqliteVecSecure, Lance, LanceParts)
