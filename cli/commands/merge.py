"""`edge-icl merge`: the examples of several stores in one, exactly."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_icl.access.paths import locate
from edge_icl.cli import completion, passphrases
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.preview import MOST_SHOWN, Preview
from edge_icl.cli.receipts import Receipts
from edge_icl.cli.several import OWN, Several
from edge_icl.cli.tables import counted
from edge_icl.cli.usage import Advised
from edge_icl.errors import ConfirmationError
from edge_icl.store.presence import is_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Merged


@dataclass(frozen=True, slots=True)
class Way:
    """How stores are merged."""

    into: str
    dry_run: bool
    receipt: tuple[Path, ...]
    yes: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """How stores are opened, and a new one is made."""

    encrypt: bool
    keyring: bool
    source_passphrase_fd: tuple[bytes, ...]


def _lines(ctx: click.Context, _option: click.Parameter, numbers: tuple[int, ...]) -> tuple[bytes, ...]:
    """Return a line of each file descriptor."""
    return () if ctx.resilient_parsing else tuple(map(passphrases.read, numbers))


@click.command(
    cls=Command,
    epilog=examples(
        "edge-icl merge ./phone --into work --dry-run",
        "edge-icl merge ./phone --into work",
        "edge-icl merge work ./phone ./tablet --into all",
    ),
)
@click.argument("stores", nargs=-1, required=True, metavar="STORE...", shell_complete=completion.stores)
@click.option(
    "--into",
    required=True,
    metavar="STORE",
    help="The store that they come to: one that is there, or a new one.",
    shell_complete=completion.stores,
)
@click.option("--dry-run", is_flag=True, help="Show what would come, and change nothing.")
@click.option(
    "--receipt",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A receipt of `forget`: what it names does not come, and is forgotten in --into. May be given again.",
)
@click.option("--yes", is_flag=True, help="Do not ask before something is forgotten.")
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt a new store; of an encrypted one it always is, with the same passphrase.",
)
@click.option(
    "--keyring", is_flag=True, help="Let the system's keyring keep a random passphrase of a new store."
)
@click.option(
    OWN,
    type=click.IntRange(0),
    multiple=True,
    metavar="N",
    callback=_lines,
    help="Read the passphrase of a STORE that has its own one from this file descriptor, a line. May be given "
    "again.",
)
@click.pass_obj
@taking(Way, Opening)
def merge(session: Session, way: Way, how: Opening, stores: tuple[str, ...]) -> None:
    """Bring the examples of other stores into one, such as those of a laptop and a phone.

    The stores must have one seed, encoder and settings: `edge-icl init --like STORE` makes such a one. The
    result is, byte for byte, a store that was given all examples at once, whatever the order and however often
    you merge. The STOREs are only read; a change is one commit. A new store has the first one's settings.

    No store remembers what it has forgotten: what was forgotten in one store, and not in another, is back after
    a merge. --dry-run shows what would come. Forget it in each, with `edge-icl forget --from-receipt FILE`, or
    give --receipt here.
    """
    _check(session, way, how)
    session.store = way.into
    receipts, there = Receipts(way.receipt), is_store(locate(way.into))
    with ExitStack() as stack:
        several = Several(session, how.source_passphrase_fd)
        names = [way.into, *stores] if there else [*stores]
        opened = [stack.enter_context(several.open(name)) for name in names]
        if there and (how.encrypt or how.keyring):
            raise click.UsageError(f"--encrypt and --keyring are for a new store, and {way.into} is there")
        memory, *others = opened
        ids, into, secret = receipts.ids(memory), None, None
        if there:
            several.refuse_all_plain(opened)
        else:
            into, secret = way.into, several.new(opened, encrypt=how.encrypt, keyring=how.keyring)
        if way.dry_run or ids:
            plan = memory.merge(*others, into=into, receipts=receipts.said, dry_run=True, passphrase=secret)
            if way.dry_run:
                _Told(session, way, opened, names).plan(plan)
                return
            if plan.forgotten and there and not way.yes:
                _confirm(session, memory, plan)
        done = memory.merge(*others, into=into, receipts=receipts.said, passphrase=secret)
        _Told(session, way, opened, names).done(done, ids)


def _check(session: Session, way: Way, how: Opening) -> None:
    """Refuse what cannot be meant.

    Raises:
        click.UsageError: --store names another store than --into, or an option is given without another.
    """
    typed = any(word.partition("=")[0] == "--store" for word in session.words)
    if typed and locate(session.store) != locate(way.into):
        raise click.UsageError(f"the stores are STORE and --into, and {session.store} is given as --store")
    if how.keyring and not how.encrypt:
        raise Advised("--keyring goes with --encrypt", f"give both: {session.line().also('--encrypt')}")
    if way.yes and not way.receipt:
        raise click.UsageError("--yes goes with --receipt: without one nothing is forgotten")


def _confirm(session: Session, memory: Memory, plan: Merged) -> None:
    """Return if what the receipts name may be forgotten here.

    Raises:
        ConfirmationError: the user did not say so, or there is no terminal to ask on.
    """
    what = counted(len(plan.forgotten))
    if not session.output.can_ask:
        raise ConfirmationError(
            f"a receipt names {what} of {session.store}: that must be confirmed, and there is no terminal to "
            "ask on",
            f"give --yes: {session.line().also('--yes')}",
        )
    preview = Preview.of(session, memory, [memory.get(id) for id in plan.forgotten], None)
    if not preview.confirm(preview.rows(), f"forget {what} in {session.store}?"):
        raise ConfirmationError("it was not confirmed", "nothing was changed")


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of a merge.

    Attributes:
        session: where.
        way: how it was asked for.
        opened: the store that the others come to, or the first where a new one is made; then the others.
        names: what these are called, as it was typed.
    """

    session: Session
    way: Way
    opened: Sequence[Memory]
    names: Sequence[str]

    def plan(self, plan: Merged) -> None:
        """Show what would come, and what each store has that others do not have."""
        output = self.session.output
        if output.json:
            output.document(plan.as_json())
            return
        if plan.new:
            output.table(("id", "store", "output", "input"), self._coming(plan.new))
        for name, one in zip(self.names[1:], plan.sources, strict=True):
            only = f", {one.only:,} in no other store" if len(plan.sources) > 1 else ""
            output.note(f"{name}: {counted(one.examples)}, {len(one.new):,} of them new{only}")
        output.note(f"only in {self.names[0]}: {counted(plan.only_here)}")
        if plan.only_here:
            output.list_aside(self._only_here())
        for many, told in (
            (plan.replaced, "would get the vector of another store, which has smaller bytes"),
            (plan.left_out, "would not come, as a receipt says"),
            (len(plan.forgotten), "would be forgotten here, as a receipt says"),
        ):
            if many:
                output.note(f"{counted(many)} {told}")
        if is_store(locate(self.way.into)):
            output.note(f"{counted(plan.added)} would come; nothing was changed")
        else:
            what = f"{counted(plan.examples)} of {counted(len(self.opened), 'store')}"
            output.note(f"the store {self.way.into} would be made, with {what}; nothing was changed")
        if plan.new and not self.way.receipt:
            output.note(
                "no store remembers what it has forgotten: one that was forgotten here would be back; to leave "
                f"it out: {self.session.line().also('--receipt', 'FILE')}"
            )

    def done(self, done: Merged, named: Sequence[str]) -> None:
        """Tell what was done, and which stores have what receipts name."""
        output = self.session.output
        if output.json:
            output.document(done.as_json())
            return
        if done.path != self.opened[0].path:
            many = counted(len(self.opened), "store")
            output.line(f"made the store {done.path} of {many}: {counted(done.examples)}")
        else:
            counts = f"{done.added:,} new, {done.duplicates:,} already there, {done.examples:,} in all"
            output.line(f"merged into {done.path}: {counts}")
        output.line(f"root {done.root_after}")
        if done.replaced:
            output.note(f"{counted(done.replaced)} got the vector of another store, which has smaller bytes")
        if done.forgotten and self.opened[0].path == done.path:
            output.note(f"forgot {counted(len(done.forgotten))}, as a receipt says")
        for name, one in zip(self.names, self.opened, strict=True):
            if left := sum(id in one for id in named):
                files = [word for file in self.way.receipt for word in ("--from-receipt", str(file))]
                command = self.session.command_line("forget", *files, store=name)
                output.note(f"{name} still has {counted(left)} that a receipt names: {command}")

    def _coming(self, ids: Sequence[str]) -> list[list[str]]:
        """Return the first examples that would come as rows, and a row that counts the others."""
        rows = []
        for id in ids[:MOST_SHOWN]:
            pairs = zip(self.names[1:], self.opened[1:], strict=True)
            name, memory = next((name, one) for name, one in pairs if id in one)
            ((short, output, input),) = self.session.rows(memory, [memory.get(id)])
            rows.append([short, name, output, input])
        if len(ids) > MOST_SHOWN:
            rows.append(["…", "", "", f"and {len(ids) - MOST_SHOWN:,} more"])
        return rows

    def _only_here(self) -> list[list[str]]:
        """Return the first examples that only the store has to which the others would come, as rows."""
        here, *others = self.opened
        elsewhere = {id for one in others for id in one.ids()}
        only = [id for id in here.ids() if id not in elsewhere]
        return Preview.of(self.session, here, [here.get(id) for id in only[:MOST_SHOWN]], None).rows()
