"""What every command shares: the global options, and the store they name.

    edge-icl --store work --json list
    edge-icl list --store work --json

Both are the same: the global options may stand before the command or after it.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from edge_icl.cli import passphrases, tables
from edge_icl.cli.output import PROGRAM, Output
from edge_icl.errors import ExampleNotFoundError
from edge_icl.place import DEFAULT_STORE, locate
from edge_icl.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

    from edge_icl.memory import Memory
    from edge_icl.records import Held
    from edge_icl.unlocking import Passphrase


@dataclass(slots=True)
class Session:
    """One run of the program.

    Attributes:
        store: name or path of the store.
        output: where results go.
        given: the passphrase, where the command said from which file descriptor to read it.
        followed: the stores that the command works on, and how many changes had been made to each before.
        encrypted: whether a store that is not encrypted is refused.
    """

    store: str = DEFAULT_STORE
    output: Output = field(default_factory=Output)
    given: bytes | None = field(default=None, repr=False)
    followed: list[tuple[Memory, int]] = field(default_factory=list, repr=False)
    encrypted: bool = False

    def open(
        self,
        *,
        create: bool = False,
        model: str | None = None,
        gpu_layers: int | None = None,
        threads: int | None = None,
        progress: Progress = silent,
    ) -> Memory:
        """Open the store; one that must be made is a plain one, so that only `init` needs to be told more."""
        from edge_icl.memory import Memory  # noqa: PLC0415 - `models` and `--version` do without
        from edge_icl.store import settings  # noqa: PLC0415 - likewise

        self.refuse_plain()
        plain = create and not self.sealed and not (locate(self.store) / settings.NAME).exists()
        memory = Memory.open(
            self.store,
            create=plain,
            model=model,
            gpu_layers=gpu_layers,
            threads=threads,
            progress=progress,
            passphrase=None if plain else self.passphrase(),
        )
        self.followed.append((memory, memory.commits))
        if memory.wiped:
            files = tables.counted(memory.wiped, "file")
            self.output.note(f"a change had been cut off: what it left, {files}, is wiped now")
        return memory

    @property
    def committed(self) -> bool:
        """Whether the command has changed a store: whatever goes wrong after that, the change is made."""
        return any(memory.commits > before for memory, before in self.followed)

    @property
    def sealed(self) -> bool:
        """Whether the store that is meant is an encrypted one: a passphrase is given, or it was said so."""
        return self.encrypted or self.given is not None or bool(passphrases.variable())

    def refuse_plain(self) -> None:
        """Refuse a plain store where an encrypted one is meant: somebody may have put it in that one's place.

        Raises:
            PassphraseError: it is not encrypted.
        """
        if not self.sealed:
            return
        from edge_icl.unlocking import refuse_plain  # noqa: PLC0415 - `models` and `--version` do without

        given = "the passphrase" if self.given is not None else passphrases.VARIABLE
        refuse_plain(locate(self.store), given="--encrypted" if self.encrypted else given)

    def passphrase(self) -> Passphrase:
        """Return the passphrase that came with the command, or what finds one if the store is encrypted."""
        if self.given is not None:
            return self.given
        return lambda: passphrases.find(self.output, locate(self.store))

    def short(self, memory: Memory, id: str) -> str:
        """Return an id as it is shown: as many digits as it takes; all of them with `-v`."""
        from edge_icl.store.snapshot import SHORTEST_ID  # noqa: PLC0415 - not for `--version`

        if self.output.verbose:
            return id
        try:
            return memory.short(id)
        except ExampleNotFoundError:
            return id[:SHORTEST_ID]  # another process has just forgotten it

    def rows(self, memory: Memory, examples: Sequence[Held]) -> list[list[str]]:
        """Return examples as rows of a table: id, similarity where there is one, output, input."""
        return [
            [
                self.short(memory, one.id),
                *([] if one.similarity is None else [f"{one.similarity:.2f}"]),
                one.output,
                one.input,
            ]
            for one in examples
        ]

    def command_line(self, *words: str) -> str:
        """Return a command that does something to this store, ready to be pasted into a shell."""
        store = [] if self.store == DEFAULT_STORE else ["--store", self.store]
        return shlex.join([PROGRAM, *store, *words])


def global_options(*, hidden: bool = False) -> list[click.Parameter]:
    """Return the options that every command understands; each writes what it is given into the session."""
    return [
        click.Option(
            ["--store"],
            metavar="NAME|PATH",
            help=f"Which store: a name, or a path with a slash in it.  [default: {DEFAULT_STORE}]",
            callback=_set_store,
            shell_complete=_stores,
            expose_value=False,
            hidden=hidden,
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            help="Print JSON, also for errors.",
            callback=_set_json,
            expose_value=False,
            is_eager=True,
            hidden=hidden,
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            help="Show whole ids, times, and where an error came from.",
            callback=_set_verbose,
            expose_value=False,
            is_eager=True,
            hidden=hidden,
        ),
        click.Option(
            ["--passphrase-fd"],
            type=click.IntRange(0),
            metavar="N",
            help=f"Read the passphrase of an encrypted store from this file descriptor, a line; or set "
            f"{passphrases.VARIABLE}.",
            callback=_set_passphrase_fd,
            expose_value=False,
            hidden=hidden,
        ),
        click.Option(
            ["--encrypted"],
            is_flag=True,
            help="Refuse a store that is not encrypted, as is done where a passphrase is given.",
            callback=_set_encrypted,
            expose_value=False,
            hidden=hidden,
        ),
    ]


def examples(*lines: str) -> str:
    """Return what a command's help ends with."""
    return "\n".join(("\b", "For example:", *(f"  {line}" for line in lines)))


class Command(click.Command):
    """A command that also takes the global options."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own options, and the global ones, which its help leaves out."""
        return [*super().get_params(ctx), *global_options(hidden=True)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, and where the global ones are explained."""
        super().format_options(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"--store, --json and -v go with every command; see {PROGRAM} --help.")


def _stores(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the names of stores."""
    from edge_icl.cli import completion  # noqa: PLC0415 - it imports this module

    return completion.stores(ctx, param, typed)


def _session(ctx: click.Context) -> Session:
    """Return the session of this run."""
    return ctx.ensure_object(Session)


def _set_store(ctx: click.Context, _option: click.Parameter, value: str | None) -> None:
    """Take the store."""
    if value is not None:
        _session(ctx).store = value


def _set_passphrase_fd(ctx: click.Context, _option: click.Parameter, value: int | None) -> None:
    """Take the passphrase at once: what follows it may be examples on standard input."""
    if value is not None and not ctx.resilient_parsing:  # a shell that completes has typed none
        _session(ctx).given = passphrases.read(value)


def _set_encrypted(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    """Refuse plain stores."""
    _session(ctx).encrypted |= value


def _set_json(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    """Switch to JSON."""
    _session(ctx).output.json |= value


def _set_verbose(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    """Switch to long answers."""
    _session(ctx).output.verbose |= value
