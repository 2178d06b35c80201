"""Parts of labelled rows: what a worker reads, labels and writes.

A part is written under a name of its own, and renamed when all of it is on the disk. So a run that is cut off
goes on with the parts that are not there, and gives the same bytes as one that was not.
"""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from edge_icl.batch import columns
from edge_icl.cli.formats.parquet import module
from edge_icl.cli.formats.sliced import blocks
from edge_icl.cli.formats.slices import Slice
from edge_icl.cli.runs import complete
from edge_icl.errors import EdgeIclError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from edge_icl.batch import Labeler
    from edge_icl.cli.formats.slices import Cut
    from edge_icl.cli.runs import Record

TRIES = 4
"""How often a part is begun whose worker dies."""

STAMP = b"edge_icl"
"""Key in a part's metadata: what its answers follow from."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part, as a worker is told of it.

    Attributes:
        number: its place.
        rows: how many rows it has.
        slices: where they are, in their order.
    """

    number: int
    rows: int
    slices: tuple[Slice, ...]

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"part-{self.number:05}.parquet"

    def as_json(self) -> str:
        """Return it as a text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what `as_json` made a text of."""
        said = json.loads(text)
        slices = tuple(Slice(**{**one, "head": tuple(one["head"])}) for one in said["slices"])
        return cls(said["number"], said["rows"], slices)


@dataclass(frozen=True)
class Job:
    """What every worker of a run knows.

    Attributes:
        labeler: which has loaded nothing yet.
        folder: where parts go.
        schema: what the rows are, without answers.
        record: of the run.
        block: rows that are labelled at once.
    """

    labeler: Labeler
    folder: Path
    schema: pa.Schema
    record: Record
    block: int

    @property
    def labelled(self) -> pa.Schema:
        """What the rows are with their answers."""
        stamp = json.dumps(self.record.stamp, ensure_ascii=False).encode()
        return columns.schema(self.schema, mixed=self.record.allow_mixed).with_metadata({STAMP: stamp})


class PartWriter:
    """What a worker does: reads the rows of a part, labels them, writes them; called with a row a part."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, given: pa.Table) -> pa.Table:
        """Write parts; return the rows of each, and of one that failed why."""
        done = [self._write(Part.from_json(text)) for text in given.column("part").to_pylist()]
        return module("pyarrow").Table.from_pylist(done, schema=_result())

    def _write(self, part: Part) -> dict[str, Any]:
        """Write one part."""
        tries = self._job.folder / f".{part.name}.tries"
        try:
            _count_try(tries, part)
            write(self._job, part)
            tries.unlink(missing_ok=True)
        except EdgeIclError as error:
            told = {"type": type(error).__name__, "message": error.message, "hint": error.hint}
            return {"rows": 0, "error": json.dumps(told)}
        except OSError as error:
            where = f"{error.filename or self._job.folder} on the machine {platform.node()}"
            told = {"type": "InputError", "message": f"{where}: {error.strerror}", "hint": _SEEN}
            return {"rows": 0, "error": json.dumps(told)}
        return {"rows": part.rows, "error": None}


def _count_try(file: Path, part: Part) -> None:
    """Note that a part is begun: Ray has another worker try again for ever, and a row may be what kills them.

    Raises:
        EdgeIclError: it was begun too often.
    """
    with file.open("ab") as stream:
        stream.write(b".")
        if stream.tell() > TRIES:
            raise EdgeIclError(
                f"the worker died each of the {TRIES} times that it came to {part.name}",
                "give workers more memory, or look for a very long question",
            )


_SEEN = "give paths that every worker sees"


def _result() -> pa.Schema:
    """Return what a worker says of a part."""
    arrow = module("pyarrow")
    return arrow.schema([("rows", arrow.int64()), ("error", arrow.string())])


def assembled(cuts: Sequence[Cut], each: int) -> Iterator[Part]:
    """Yield the parts of which all but the last have as many rows; a part may have rows of several files.

    Args:
        cuts: the files, each cut where parts end.
        each: how many rows a part has.
    """
    number, held = 0, list[Slice]()
    for one in (one for some in cuts for one in some.slices):
        held.append(one)
        if sum(part.rows for part in held) == each:
            yield Part(number, each, tuple(held))
            number, held = number + 1, []
    if held:
        yield Part(number, sum(part.rows for part in held), tuple(held))


def write(job: Job, part: Part) -> None:
    """Label the rows of a part, and write them.

    Raises:
        EdgeIclError: the rows or the store are not what they were, or cannot be read here.
        OSError: the operating system refuses.
    """
    arrow, parquet = module("pyarrow"), module("pyarrow.parquet")
    made = [
        _labelled(job, block.table, block.problems)
        for one in part.slices
        for block in blocks(one, job.schema, job.record.column, job.block)
    ]
    table = arrow.concat_tables(made).cast(job.labelled).combine_chunks()
    complete(job.folder, part.name, lambda path: parquet.write_table(table, path))


def _labelled(job: Job, table: pa.Table, problems: dict[int, str]) -> pa.Table:
    """Return rows with their answers; those that could not be read have none."""
    if not problems:
        return job.labeler(table)
    arrow, field = module("pyarrow"), job.record.column
    place, kind = table.schema.get_field_index(field), table.schema.field(field).type
    asked = [None if i in problems else one for i, one in enumerate(table.column(field).to_pylist())]
    made = job.labeler(table.set_column(place, field, arrow.array(asked, kind)))
    told = [problems.get(i, one) for i, one in enumerate(made.column("error").to_pylist())]
    made = made.set_column(place, table.schema.field(field), table.column(field))
    return made.set_column(made.schema.get_field_index("error"), "error", arrow.array(told, arrow.string()))


def counted(job: Job, part: Part) -> dict[str, int] | None:
    """Return how many rows of a part have an error, and how many else no answer; None if it is not there."""
    arrow, parquet = module("pyarrow"), module("pyarrow.parquet")
    try:
        with parquet.ParquetFile(job.folder / part.name) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            if (rows, schema.names, schema.metadata) != (part.rows, job.labelled.names, job.labelled.metadata):
                return None
            found = file.read(["answer", "error"])
    except (OSError, arrow.ArrowException):
        return None
    failed = part.rows - found.column("error").null_count
    return {"error": failed, "unsure": found.column("answer").null_count - failed}


def clear(folder: Path) -> None:
    """Remove what workers that were ended have left of parts."""
    for path in folder.glob(".part-*.parquet.*"):
        with suppress(OSError):
            path.unlink()
