"""Options of commands that can have their work done by many processes, and what does not go with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from edge_icl.cli.given import STDIN
from edge_icl.cli.options import having
from edge_icl.cli.usage import Advised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from edge_icl.cli.questions import Shown
    from edge_icl.cli.request import Asked, Written
    from edge_icl.cli.session import Session
    from edge_icl.encode.vector import Vector
    from edge_icl.example import Example
    from edge_icl.memory import Memory
    from edge_icl.results import Added
    from edge_icl.runtime.progress import Progress

ROWS_PER_PART = 5000
"""Rows of a part: some seconds of work without the model, minutes with it, which is what a killed run loses."""

FORMATS = ("parquet", "csv", "jsonl")

_WHERE = (
    click.option(
        "--address",
        metavar="A",
        help="With --engine ray: where a Ray runs, or auto.  [default: one of this command's own]",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="With --engine ray: how many, of one core each.  [default: one a core]",
    ),
)


def _engine(text: str) -> Callable[..., Any]:
    """Return the option that names who does the work, with its help."""
    kinds = click.Choice(("local", "ray"))
    return click.option("--engine", type=kinds, default="local", show_default=True, help=text)


_OPTIONS = (
    _engine("Who answers a file: this process, or workers of Ray, which write Parquet into the folder --out."),
    *_WHERE,
    click.option(
        "--allow-mixed",
        is_flag=True,
        help="With --engine ray: mark the rows of machines that compute otherwise, and do not refuse them.",
    ),
    click.option(
        "--rows-per-part",
        type=click.IntRange(min=1),
        metavar="N",
        help=f"With --engine ray: rows of each file that is written.  [default: {ROWS_PER_PART}]",
    ),
)


options = having(_OPTIONS)
"""Gives a command the options that `Fleet` has."""

building = having((_engine("Who makes the vectors of a file: this process, or workers of Ray."), *_WHERE))
"""Gives a command the options that `Builders` has."""


@dataclass(frozen=True, slots=True)
class Builders:
    """Who makes vectors."""

    engine: str
    address: str | None
    workers: int | None

    def check(self, session: Session, *, texts: bool) -> None:
        """Refuse what does not go together.

        Args:
            session: says what was typed.
            texts: whether an example is given, and not a file.

        Raises:
            click.UsageError: options of workers without these, or with an example.
        """
        where = {"--address": self.address, "--workers": self.workers}
        if not texts:
            return _refuse_local(session, where) if self.engine == "local" else None
        for option, value in {"--engine": self.engine != "local", **where}.items():
            if value:
                typed = session.typed(without=option, valued=True)
                raise Advised(f"{option} is for a file, and an example is given", f"leave it out: {typed}")
        return None

    def add(
        self,
        memory: Memory,
        examples: Iterable[Example],
        vectors: Iterable[Vector | None],
        progress: Progress,
    ) -> Added:
        """Add examples, whose vectors these make."""
        if self.engine == "local":
            return memory.add_many(examples, vectors=vectors, progress=progress)
        from edge_icl.ray import building

        return building.add_many(
            memory, examples, vectors=vectors, address=self.address, workers=self.workers, progress=progress
        )


def _refuse_local(session: Session, given: Mapping[str, object]) -> None:
    """Refuse options of workers where there are none.

    Raises:
        click.UsageError: one is given.
    """
    for option, value in given.items():
        if value:
            typed = session.typed(add="--engine=ray")
            raise Advised(f"{option} is for workers of Ray", f"name the engine, too: {typed}")


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who does the work."""

    engine: str
    address: str | None
    workers: int | None
    allow_mixed: bool
    rows_per_part: int | None

    @property
    def is_local(self) -> bool:
        """Whether it is this process."""
        return self.engine == "local"

    def refuse_local(self, session: Session) -> None:
        """Refuse options of workers where there are none.

        Raises:
            click.UsageError: one is given.
        """
        given = {
            "--address": self.address,
            "--workers": self.workers,
            "--allow-mixed": self.allow_mixed,
            "--rows-per-part": self.rows_per_part,
        }
        _refuse_local(session, given)

    def refuse(
        self, session: Session, asked: Asked, written: Written, shown: Shown, threads: int | None
    ) -> None:
        """Refuse what workers cannot do.

        Raises:
            click.UsageError: it is asked for.
        """
        if asked.question is not None:
            typed = session.typed(without="--engine", valued=True)
            raise Advised("--engine ray answers files, and a QUESTION is given", f"leave it out: {typed}")
        if asked.file is None:
            raise Advised("--engine ray answers files", f"name one: {session.typed(add='--file=F')}")
        if asked.file == STDIN:
            raise Advised("workers cannot read stdin", "write it into a file, and name that with --file")
        if written.out is None:
            raise Advised(
                "--engine ray writes its answers into a new folder",
                f"name it: {session.typed(add='--out=NEW')}",
            )
        flags = {"--safe": written.safe, "--examples": shown.examples, "--explain": shown.explained}
        valued: dict[str, object] = {"--encoding": asked.encoding, "--threads": threads}
        if asked.format_name not in {None, *FORMATS}:
            valued["--format"] = asked.format_name
        for option, value in {**flags, **valued}.items():
            if value:
                typed = session.typed(without=option, valued=option in valued)
                raise Advised(f"{option} does not go with --engine ray", f"leave it out: {typed}")
