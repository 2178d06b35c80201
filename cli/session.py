"""One run of the program: the store it works on, and where its results go."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from edge_icl.access.paths import locate
from edge_icl.cli import passphrases, tables
from edge_icl.cli.output import PROGRAM, Output
from edge_icl.errors import ExampleNotFoundError, StoreNotFoundError
from edge_icl.runtime.home import chosen_store, command_line, store_name
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.cli.commandline import Line
    from edge_icl.errors import EdgeIclError
    from edge_icl.memory import Memory
    from edge_icl.results import Held


@dataclass(slots=True)
class Session:
    """One run of the program.

    Attributes:
        store: name or path of the store.
        output: where results go.
        given: the passphrase, where the command said from which file descriptor to read it.
        found: the passphrase, where it had to be found, so that a command asks for it once.
        followed: the stores that the command works on, and how many changes had been made to each before.
        new: the stores that were not there when the command opened them.
        encrypted: whether a store that is not encrypted is refused.
        words: what was typed after the program's name.
        changed: whether the command has changed something else than a store that it has opened.
    """

    store: str = field(default_factory=chosen_store)
    output: Output = field(default_factory=Output)
    given: bytes | None = field(default=None, repr=False)
    found: str | None = field(default=None, repr=False)
    followed: list[tuple[Memory, int]] = field(default_factory=list, repr=False)
    new: list[Memory] = field(default_factory=list, repr=False)
    encrypted: bool = False
    words: Sequence[str] = ()
    changed: bool = False

    def open(
        self,
        *,
        store: str | None = None,
        create: bool = False,
        plain: bool = False,
        secret: Passphrase | None = None,
        model: str | None = None,
        gpu_layers: int | None = None,
        threads: int | None = None,
        progress: Progress = silent,
    ) -> Memory:
        """Open the store; one that must be made is a plain one, so that only `init` needs to be told more.

        Args:
            store: another one than the command works on; its name, or a path.
            create: make it, if nothing is there, with its first examples.
            plain: take a plain one although there is a passphrase, which is then for another store.
            secret: the passphrase, of several that are tried; None for the one that is given or typed.
            model: see `Memory.open`.
            gpu_layers: see `Memory.open`.
            threads: see `Memory.open`.
            progress: see `Memory.open`.
        """
        from edge_icl.memory import Memory
        from edge_icl.store.presence import is_store, missing

        name = self.store if store is None else store
        if self.encrypted or not plain:
            self.refuse_plain(store)
        made = create and not self.sealed and not is_store(locate(name))
        try:
            memory = Memory.open(
                name,
                create="later" if made else False,
                model=model,
                gpu_layers=gpu_layers,
                threads=threads,
                progress=progress,
                passphrase=None if made else secret or self.passphrase(plain=plain),
            )
        except StoreNotFoundError as error:
            raise missing(locate(name), encrypted=self.sealed) from error
        self.followed.append((memory, memory.commits))
        if made and not memory.commits:
            self.new.append(memory)
        if memory.wiped:
            files = tables.counted(memory.wiped, "file")
            self.output.note(f"a change had been cut off: what it left, {files}, is wiped now")
        return memory

    @property
    def committed(self) -> bool:
        """Whether the command has changed a store: whatever goes wrong after that, the change is made."""
        return self.changed or any(memory.commits > before for memory, before in self.followed)

    @contextmanager
    def taking_away(self, path: Path) -> Iterator[None]:
        """Note, however the block ends, whether it has taken away what was at a path."""
        there = os.path.lexists(path)
        try:
            yield
        finally:
            self.changed |= there and not os.path.lexists(path)

    def made(self, memory: Memory) -> dict[str, str]:
        """Return for JSON that the command has made a store, and where; nothing if it was there."""
        return {"made": str(memory.path)} if memory in self.new and memory.commits else {}

    def tell_made(self) -> None:
        """Tell which stores the command has made, and which one may have been meant instead."""
        for memory in self.new:
            if memory.commits:
                from edge_icl.store.presence import similar

                self.output.note(f"made the store {store_name(memory.path)} in {memory.path.parent}")
                if near := similar(memory.path):
                    remove = shlex.join([PROGRAM, "stores", "remove", store_name(memory.path)])
                    others = " and ".join(near)
                    verb = "are" if len(near) > 1 else "is"
                    self.output.note(
                        f"there {verb} {others}, too: if that was meant, take this one back: {remove}"
                    )

    @property
    def sealed(self) -> bool:
        """Whether the store that is meant is an encrypted one: a passphrase is given, or it was said so."""
        return self.encrypted or self.given is not None or bool(passphrases.variable())

    def refuse_plain(self, store: str | None = None) -> None:
        """Refuse a plain store where an encrypted one is meant: another user may have put it there.

        Args:
            store: its name, or a path; None for the one that the command works on.

        Raises:
            PassphraseError: it is not encrypted.
        """
        if not self.sealed:
            return
        from edge_icl.access.passphrases import refuse_plain

        given = "the passphrase" if self.given is not None else passphrases.VARIABLE
        path = locate(self.store if store is None else store)
        refuse_plain(path, given="--encrypted" if self.encrypted else given)

    def passphrase(self, *, plain: bool = False) -> Passphrase:
        """Return the passphrase that came with the command, or what finds one if the store is encrypted.

        Args:
            plain: do not say by it that an encrypted store is meant.
        """
        given = self.given
        if given is None:
            return self._find
        return (lambda: given) if plain else given

    def secret(self) -> str:
        """Return the passphrase of the encrypted store itself, for workers."""
        return self._find() if self.given is None else self.given.decode("utf-8", "surrogateescape")

    def _find(self) -> str:
        """Return the passphrase of the store, from the environment or from the user."""
        if self.found is None:
            self.found = passphrases.find(self.output, locate(self.store))
        return self.found

    def short(self, memory: Memory, id: str) -> str:
        """Return an id as it is shown: short; with `-v` all of it."""
        from edge_icl.store.snapshot import SHORTEST_ID

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

    def command_line(self, *words: str, store: str | None = None) -> str:
        """Return a command that does something to a store, this one by default, ready to be pasted."""
        return command_line(*words, store=self.store if store is None else store)

    def fix(self, memory: Memory, id: str, output: str) -> str:
        """Return the command that gives an example another output, also one that looks like an option."""
        dashes = ["--"] if output.startswith("-") else []
        return self.command_line("fix", self.short(memory, id), *dashes, output)

    def told(self, error: EdgeIclError) -> str:
        """Return an error in a sentence; the commands that it advises name the store that is meant."""
        from edge_icl.cli import commandline

        hint = commandline.in_store(error.hint, self.command_line())
        if isinstance(error, StoreNotFoundError) and self.sealed:
            hint = hint.replace(" init`", " init --encrypt`")  # a plain one would be refused then
        return f"{error.message}; {hint}" if hint else error.message

    def typed(self, *, without: str = "", add: str = "", valued: bool = False) -> str:
        """Return the command that was typed, ready to be pasted, without a word and with another.

        Args:
            without: the word.
            add: the other one.
            valued: whether the word is an option with a value, which goes with it.
        """
        words, rest = list[str](), iter(self.words)
        for word in rest:
            if valued and word == without:
                next(rest, None)
            elif word != without and not (valued and word.startswith(f"{without}=")):
                words.append(word)
        words += filter(None, [add])
        named = any(word.partition("=")[0] == "--store" for word in words)
        return shlex.join([PROGRAM, *words]) if named else self.command_line(*words)

    def line(self) -> Line:
        """Return the command that was typed, taken apart, so that another may be advised."""
        from edge_icl.cli import commandline

        return commandline.apart(click.get_current_context(), self.words)
