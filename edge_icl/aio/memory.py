"""AsyncMemory: what Memory has, with the same parameters and defaults, to be awaited."""

from __future__ import annotations

import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Self, TypeVar, Unpack

from edge_icl.aio.reply import AsyncReply
from edge_icl.aio.threads import Threads, in_loop
from edge_icl.answer.options import combined
from edge_icl.memory import DEFAULT_OPTIONS, Memory
from edge_icl.runtime.bound import Bound
from edge_icl.runtime.cancel import Cancel
from edge_icl.runtime.home import DEFAULT_STORE
from edge_icl.runtime.progress import Progress, silent
from edge_icl.store.lock import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
    from pathlib import Path

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.answer.options import OptionFields, Options
    from edge_icl.encode.vector import Vector
    from edge_icl.errors import InputError
    from edge_icl.forms import ExampleForm, IdForm
    from edge_icl.results import Answer, Held
    from edge_icl.store.keys import Stretch
    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


def _awaited(
    method: Callable[Concatenate[Memory, P], T],
) -> Callable[Concatenate[AsyncMemory, P], Coroutine[Any, Any, T]]:
    """Return a method of `Memory` as one to be awaited, under its name and with its documentation.

    A callback for progress is called in the loop. A task that is cancelled meanwhile ends the work when it next
    tells of its progress. An AsyncMemory may stand for a Memory.
    """
    tells = "progress" in inspect.signature(method).parameters

    @wraps(method, assigned=["__doc__", "__name__"])
    async def call(self: AsyncMemory, /, *args: P.args, **named: P.kwargs) -> T:
        cancel, given = Cancel(), dict[str, Any](named)
        if tells:
            given["progress"] = in_loop(given.get("progress", silent), cancel)
        return await self._run(partial(method, self._memory, *map(_plain, args), **given), cancel)

    call.__qualname__ = f"AsyncMemory.{method.__name__}"
    return call


class AsyncMemory(Bound):
    """An open store, for asyncio. Make one with `open`; close it, or use it in an `async with` statement.

        >>> async def main():
        ...     async with await AsyncMemory.open("work") as memory:
        ...         added = await memory.add("Uber to the airport", "travel")
        ...         await memory.forget(*added.ids)
        ...         return await memory.count()
        >>> import asyncio
        >>> asyncio.run(main())
        0

    Methods are those of `Memory` and raise what those raise. They call `progress` in the loop, and take from an
    iterable in a thread. A task that is cancelled while texts are embedded changes nothing.
    """

    instead = "open the store in the other process, by its path or its name"

    def __init__(self, memory: Memory, threads: Threads) -> None:
        self._memory = memory
        self._threads = threads

    @classmethod
    async def open(
        cls,
        store: str | os.PathLike[str] = DEFAULT_STORE,
        *,
        create: bool | Literal["later"] = True,
        encoder: str | os.PathLike[str] | None = None,
        model: str | os.PathLike[str] | None = None,
        gpu_layers: int | None = None,
        threads: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - how long to wait for another writer
        passphrase: Passphrase | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Open a store, as `Memory.open` does; `progress` is called in the loop."""
        work = partial(
            Memory.open,
            store,
            create=create,
            encoder=encoder,
            model=model,
            gpu_layers=gpu_layers,
            threads=threads,
            timeout=timeout,
            passphrase=passphrase,
            progress=in_loop(progress),
        )
        pool = Threads()
        return cls(await pool.begin(work), pool)

    @classmethod
    async def create(
        cls,
        store: str | os.PathLike[str] = DEFAULT_STORE,
        *,
        like: Memory | str | os.PathLike[str] | None = None,
        shots: int | None = None,
        seed: bytes | None = None,
        encoder: str | os.PathLike[str] | None = None,
        task: str | None = None,
        labels: LabelsSetting | None = None,
        passphrase: Passphrase | None = None,
        stretch: Stretch | None = None,
    ) -> Self:
        """Make a new store, as `Memory.create` does; `like` may be an AsyncMemory too."""
        work = partial(
            Memory.create,
            store,
            like=_plain(like),
            shots=shots,
            seed=seed,
            encoder=encoder,
            task=task,
            labels=labels,
            passphrase=passphrase,
            stretch=stretch,
        )
        pool = Threads()
        return cls(await pool.begin(work), pool)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the store, as `Memory.close` does; no thread is left when it returns."""
        await self._threads.end(self._memory.close)

    @property
    def path(self) -> Path:
        """The store's directory."""
        return self._memory.path

    @property
    def settings(self) -> Settings:
        """What the store was made with."""
        return self._memory.settings

    @property
    def encrypted(self) -> bool:
        """Whether the files of the store are sealed."""
        return self._memory.encrypted

    @property
    def wiped(self) -> int:
        """How many files were wiped on opening the store, as `Memory.wiped` says."""
        return self._memory.wiped

    @property
    def commits(self) -> int:
        """How many changes were made through this handle, as `Memory.commits` says."""
        return self._memory.commits

    def __repr__(self) -> str:
        """Say where the store is and whether it is closed; how much it holds would be read from the disk."""
        return f"<AsyncMemory {self.path}{', closed' * self._threads.closed}{', encrypted' * self.encrypted}>"

    async def __aiter__(self) -> AsyncIterator[Held]:
        for held in await self.examples():
            yield held

    async def labels_setting(self) -> LabelsSetting:
        """Return whether the outputs are labels, as `Memory.labels_setting` says."""
        return await self._run(lambda: self._memory.labels_setting)

    async def root(self) -> str:
        """Return the string that names the whole content of the store."""
        return await self._run(lambda: self._memory.root)

    async def likeness(self) -> float:
        """Return from which similarity on two inputs say nearly the same, as `Memory.likeness` says."""
        return await self._run(lambda: self._memory.likeness)

    async def languages(self) -> tuple[str, ...]:
        """Return the languages that the encoder reads well, as `Memory.languages` says."""
        return await self._run(lambda: self._memory.languages)

    async def count(self) -> int:
        """Return how many examples the store holds."""
        return await self._run(lambda: len(self._memory))

    async def contains(self, example: IdForm | ExampleForm) -> bool:
        """Tell whether the store holds an example, as `in` does with a `Memory`."""
        return await self._run(lambda: example in self._memory)

    unfinished = _awaited(Memory.unfinished)
    load = _awaited(Memory.load)
    add = _awaited(Memory.add)
    add_many = _awaited(Memory.add_many)
    forget = _awaited(Memory.forget)
    forget_from = _awaited(Memory.forget_from)
    merge = _awaited(Memory.merge)
    replace = _awaited(Memory.replace)
    reencode = _awaited(Memory.reencode)
    rename_label = _awaited(Memory.rename_label)
    set_labels = _awaited(Memory.set_labels)

    async def ask(
        self, question: str, options: Options = DEFAULT_OPTIONS, **named: Unpack[OptionFields]
    ) -> Answer:
        """Answer a question, as `Memory.ask` does; cancelling the task stops the model within a token."""
        cancel, chosen = Cancel(), combined(options, named)
        return await self._run(partial(self._memory.ask, question, chosen, cancel=cancel), cancel)

    async def ask_many(
        self,
        questions: Iterable[str],
        options: Options = DEFAULT_OPTIONS,
        *,
        progress: Progress = silent,
        **named: Unpack[OptionFields],
    ) -> AsyncIterator[Answer | InputError]:
        """Answer many questions, as `Memory.ask_many` does, for `async for`."""
        cancel, chosen = Cancel(), combined(options, named)
        found = self._memory.ask_many(questions, chosen, progress=in_loop(progress), cancel=cancel)
        while (answer := await self._run(partial(next, found, None), cancel)) is not None:
            yield answer

    def stream(
        self, question: str, options: Options = DEFAULT_OPTIONS, **named: Unpack[OptionFields]
    ) -> AsyncReply:
        """Answer a question piece by piece, as `Memory.stream` does."""
        chosen = combined(options, named)
        return AsyncReply(lambda cancel: self._memory.stream(question, chosen, cancel=cancel), self._run)

    embed = _awaited(Memory.embed)
    readings = _awaited(Memory.readings)
    foreign = _awaited(Memory.foreign)
    suggest = _awaited(Memory.suggest)
    search = _awaited(Memory.search)
    select = _awaited(Memory.select)
    find = _awaited(Memory.find)

    async def examples(
        self,
        *,
        match: str | None = None,
        output: str | None = None,
        source: str | None = None,
        tag: str | None = None,
    ) -> list[Held]:
        """Return the examples that fit all that is given, or all of them, as `Memory.examples` does."""
        work = partial(self._memory.examples, match=match, output=output, source=source, tag=tag)
        return await self._run(lambda: list(work()))

    async def export(
        self,
        *,
        match: str | None = None,
        output: str | None = None,
        source: str | None = None,
        tag: str | None = None,
    ) -> list[tuple[Held, Vector]]:
        """Return the examples that fit all that is given, with their vectors, as `Memory.export` does."""
        work = partial(self._memory.export, match=match, output=output, source=source, tag=tag)
        return await self._run(lambda: list(work()))

    contradictions = _awaited(Memory.contradictions)
    labelling = _awaited(Memory.labelling)
    outputs = _awaited(Memory.outputs)
    has_output = _awaited(Memory.has_output)
    ids = _awaited(Memory.ids)
    get = _awaited(Memory.get)
    short = _awaited(Memory.short)
    check = _awaited(Memory.check)
    report = _awaited(Memory.report)
    verify = _awaited(Memory.verify)
    change_passphrase = _awaited(Memory.change_passphrase)

    async def _run(self, work: Callable[[], T], cancel: Cancel | None = None) -> T:
        return await self._threads.run(work, self.path, cancel)


def _plain(store: Any) -> Any:
    """Return the memory in an AsyncMemory; anything else as it is."""
    return store._memory if isinstance(store, AsyncMemory) else store  # noqa: SLF001 - its own module
