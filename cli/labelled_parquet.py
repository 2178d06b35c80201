"""Labels in Parquet: the folder that `ask --engine` writes, one part of it, or another file with these columns.

A folder has parts, in the order of the rows, and `run.json`, which says what they followed from; each part says
the same of itself.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from edge_icl.cli import given, private
from edge_icl.cli.formats.parquet import module, unreadable
from edge_icl.cli.labelled import KEY, ROWS, Block, Labels, recorded
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Self, TextIO

    from edge_icl.batch.stale import Stale
    from edge_icl.cli.labelled import Write

    Begin = Callable[[str], AbstractContextManager[TextIO]]

RUN = "run.json"
_PART = re.compile(r"part-(\d+)\.parquet")
_GROUP = 16 * ROWS
"""Rows of a row group, which are in memory when it is written."""


class ParquetLabels(Labels):
    """Labels in Parquet; see `labelled.Labels`.

    Args:
        path: the folder, or the file.
        column: the column of the inputs, for a file that does not say so.

    Raises:
        InputError: there are none, or a part is missing.
        NotInstalledError: pyarrow is not installed.
    """

    def __init__(self, path: Path, *, column: str) -> None:
        self._folder = path.is_dir()
        self._files = _parts(path) if self._folder else [path]
        self._run = _json(path / RUN) if self._folder else {}
        with _opened(self._files[0]) as first:
            said = _said(first.schema_arrow)
        self.recorded = (
            recorded({**said, "machine": self._run.get("machine")}, self._files[0]) if said else None
        )
        self.column = self.recorded.column if self.recorded else column

    def as_written(self, answer: str | None) -> str | None:
        """Return an answer as it stands there: as it is."""
        return answer

    def total(self) -> int:
        """Return how many rows there are."""
        total = 0
        for file in self._files:
            with _opened(file) as parquet:
                total += parquet.metadata.num_rows
        return total

    def blocks(self) -> Iterator[Block]:
        """Yield all rows, in their order."""
        for file in self._files:
            with _opened(file) as parquet:
                count = 0
                for batch in parquet.iter_batches(batch_size=ROWS):
                    count += len(batch)
                    yield Block(batch, file.name)
                if not count:
                    yield Block(parquet.schema_arrow.empty_table(), file.name)

    @contextmanager
    def writing(self, out: Path, *, store: Path, state: Mapping[str, Any]) -> Iterator[Write]:
        """Give what writes labels of the same form; see `labelled.Labels`."""
        if not self._folder:
            if out.suffix != self._files[0].suffix:
                raise InputError(f"{out} is to be Parquet", f"name it {out.with_suffix(self._files[0].suffix)}")
            with (
                private.completing(out, store=store) as file,
                _Parts(lambda _: nullcontext(file), state) as parts,
            ):
                yield parts.write
            return
        with private.completing_folder(out, store=store) as draft:

            def begin(name: str) -> AbstractContextManager[TextIO]:
                return private.writing(draft / name, store=store)

            with _Parts(begin, state) as parts:
                yield parts.write
            with begin(RUN) as file:
                file.write(json.dumps(_renewed(self._run, state), indent=2) + "\n")


class _Parts:
    """Writes parts one after another.

    Args:
        begin: makes the file of a part, by its name.
        state: what each part says of itself.
    """

    def __init__(self, begin: Begin, state: Mapping[str, Any]) -> None:
        self._begin = begin
        self._state = state
        self._part = ""
        self._opened = ExitStack()
        self._writer: Any = None
        self._held: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._end()
        self._opened.close()

    def write(self, block: Block, found: Stale) -> None:
        """Write the rows of a block with their labels as they are now."""
        if block.part != self._part:
            self._end()
            self._part = block.part
            file = self._opened.enter_context(self._begin(block.part))
            self._writer = module("pyarrow.parquet").ParquetWriter(
                file.buffer, _schema(found.table.schema, self._state)
            )
            self._opened.callback(self._writer.close)  # before the file
        self._held.append(found.table)
        if sum(map(len, self._held)) >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        """Write what is held as a row group."""
        arrow, schema = module("pyarrow"), self._writer.schema
        batches = [arrow.Table.from_arrays(one.columns, schema=schema) for one in self._held]
        self._writer.write_table(arrow.concat_tables(batches))
        self._held.clear()

    def _end(self) -> None:
        """End a part, if one is begun."""
        if self._held:
            self._flush()
        self._opened.close()


def _schema(schema: Any, state: Mapping[str, Any]) -> Any:
    """Return a schema whose metadata say what the labels follow from now."""
    metadata = {**(schema.metadata or {})}
    if KEY in metadata:
        metadata[KEY] = json.dumps(_renewed(_said(schema), state)).encode()
    return schema.with_metadata(metadata)


def _renewed(said: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said of labels, with what is new of it."""
    return {**said, **{name: value for name, value in state.items() if name in said}}


def _said(schema: Any) -> dict[str, Any]:
    """Return what a file of labels says of itself; nothing where it is of another program."""
    try:
        said = json.loads((schema.metadata or {})[KEY])
    except (KeyError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a Parquet file.

    Raises:
        InputError: it cannot be read, now or in the block.
        NotInstalledError: pyarrow is not installed.
    """
    arrow, parquet = module("pyarrow"), module("pyarrow.parquet")
    with given.binary(str(path)) as file:
        try:
            yield parquet.ParquetFile(file)
        except arrow.ArrowException as error:
            raise unreadable(path, error) from error


def _parts(folder: Path) -> list[Path]:
    """Return the parts of a run, in their order.

    Raises:
        InputError: there is none, or one is missing.
    """
    found = {int(match[1]): path for path in folder.iterdir() if (match := _PART.fullmatch(path.name))}
    if not found:
        raise InputError(f"{folder} has no part-00000.parquet", "give the folder of a whole run, or one file")
    for number in range(max(found)):
        if number not in found:
            raise InputError(f"{folder} has no part-{number:05}.parquet", "finish that run first")
    return [found[number] for number in sorted(found)]


def _json(path: Path) -> dict[str, Any]:
    """Return what run.json says.

    Raises:
        InputError: it cannot be read, or says something else.
    """
    try:
        said = json.loads(given.whole(path, most=given.MOST_OF_A_FORM))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise InputError(f"{path} is not what `ask` wrote", "give the folder of a whole run")
    return said
