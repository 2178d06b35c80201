"""What every command shares: the global options.

    edge-icl --store work --json list
    edge-icl list --store work --json

Both are the same: the global options may stand before the command or after it.
"""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge_icl.cli import passphrases
from edge_icl.cli.output import PROGRAM
from edge_icl.cli.session import Session
from edge_icl.runtime.home import DEFAULT_STORE, STORE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

T = TypeVar("T")


def global_options(*, hidden: bool = False) -> list[click.Parameter]:
    """Return the options that every command understands; each writes what it is given into the session."""
    return [*_where(hidden=hidden), *_shown(hidden=hidden), *_opened(hidden=hidden)]


def _where(*, hidden: bool) -> list[click.Parameter]:
    """Return the option that says which store."""
    return [
        click.Option(
            ["--store"],
            metavar="NAME|PATH",
            help="Which store: a name, or a path with a slash in it.  "
            f"[default: ${STORE_VARIABLE}, else {DEFAULT_STORE}]",
            callback=_set_store,
            shell_complete=_stores,
            expose_value=False,
            hidden=hidden,
        )
    ]


def _shown(*, hidden: bool) -> list[click.Parameter]:
    """Return the options that say how results are shown; first of all, since errors follow them, too."""
    return [
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
    ]


def _opened(*, hidden: bool) -> list[click.Parameter]:
    """Return the options that say how an encrypted store is opened."""
    return [
        click.Option(
            ["--passphrase-fd"],
            type=click.IntRange(0, (1 << 31) - 1),
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


def taking(*records: type[Any]) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Let a command take its options as records, after the session; what is in none of them follows by name.

    Args:
        records: dataclasses whose fields are called as the options are.
    """

    def decorate(command: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(command)
        def take(session: Session, /, **options: Any) -> T:
            made = [
                record(**{field.name: options.pop(field.name) for field in fields(record)})
                for record in records
            ]
            return command(session, *made, **options)

        return take

    return decorate


def examples(*lines: str) -> str:
    """Return what a command's help ends with."""
    return "\n".join(("\b", "For example:", *(f"  {line}" for line in lines)))


class Group(click.Group):
    """Commands under a name, such as `models`; of one that there is not it is told which was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command.

        Raises:
            click.UsageError: there is none of this name.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            known = self.list_commands(ctx)
            from edge_icl.cli import usage

            raise usage.no_command(ctx, args, known, _session(ctx).words) from error

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, with commands as the user types them."""
        return _session(ctx).output.as_called(super().get_help(ctx))


class Command(click.Command):
    """A command that also takes the global options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed after the command.

        Raises:
            click.UsageError: it is none of what the command takes.
        """
        self._refuse_twice(ctx, args)
        ctx.allow_extra_args = True  # click would only say that there are too many
        if super().parse_args(ctx, args) and not ctx.resilient_parsing:
            from edge_icl.cli import usage

            raise usage.too_many(ctx, _session(ctx).words)
        return []

    def _refuse_twice(self, ctx: click.Context, args: list[str]) -> None:
        """Refuse an option that is given twice and takes one value: click would leave out the first in silence.

        Raises:
            click.UsageError: one is; or it is none of what the command takes.
        """
        if ctx.resilient_parsing:
            return
        given: set[click.Parameter] = set()
        for one in self.make_parser(ctx).parse_args([*args])[2]:
            if isinstance(one, click.Option) and not (one.multiple or one.is_flag or one.count):
                if one in given:
                    raise click.UsageError(f"{max(one.opts, key=len)} is given twice; give it once", ctx)
                given.add(one)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own options, and the global ones, which its help leaves out."""
        return [*super().get_params(ctx), *global_options(hidden=True)]

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, with commands as the user types them."""
        return _session(ctx).output.as_called(super().get_help(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, and where the global ones are explained."""
        super().format_options(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"--store, --json and -v go with every command; see {PROGRAM} --help.")


def _stores(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the names of stores."""
    from edge_icl.cli import completion

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
    if value is not None and not ctx.resilient_parsing:  # while a shell completes a line, there is none
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
