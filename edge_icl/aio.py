"""Memory for asyncio: the same store, awaited; the loop never waits for a model or a disk.

    from edge_icl.aio import AsyncMemory

    async with await AsyncMemory.open("work") as memory:
        await memory.add("Uber to the airport", "travel")
        async for piece in memory.stream("Taxi downtown"):
            print(piece, end="", flush=True)

Work is done in threads of the memory's own, which end with `close`. Cancelling a task stops the model within a
token. A change that is being written is finished first: the store has either all of it or nothing.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar, Unpack

from edge_icl.answer.options import combined
from edge_icl.errors import AskCancelledError, InputError, StoreClosedError
from edge_icl.example import Example
from edge_icl.memory import DEFAULT_OPTIONS, Memory
from edge_icl.runtime import arguments
from edge_icl.runtime.bound import Bound
from edge_icl.runtime.cancel import Cancel
from edge_icl.runtime.home import DEFAULT_STORE
from edge_icl.runtime.progress import Progress, silent
from edge_icl.store.lock import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from pathlib import Path

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.answer.check import Check
    from edge_icl.answer.options import OptionFields, Options
    from edge_icl.answer.reply import Reply
    from edge_icl.encode.languages import Foreign
    from edge_icl.encode.tokens import Reading
    from edge_icl.encode.vector import Vector
    from edge_icl.forms import ExampleForm, IdForm, ReceiptForm
    from edge_icl.results import (
        Added,
        Answer,
        Held,
        Labelling,
        Merged,
        Receipt,
        Reencoded,
        Renamed,
        Replaced,
        Report,
        Suggestion,
    )
    from edge_icl.store.findings import Verification
    from edge_icl.store.keys import Stretch
    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.recovery import Unfinished
    from edge_icl.store.settings import Settings

T = TypeVar("T")


class _Run(Protocol):
    """Runs work in a thread; `cancel` is set when the task that waits is cancelled."""

    async def __call__(self, work: Callable[[], T], cancel: Cancel | None = None) -> T: ...


class AsyncReply(Bound):
    """An answer in the making, for `async for`: the model runs when its pieces are asked for.

    Leaving its `async with` stops the model, as does leaving the `async for`.
    """

    instead = "ask in the process that needs the answer, or send its `answer`"

    def __init__(self, ask: Callable[[Cancel], Reply], run: _Run) -> None:
        self._ask = ask
        self._run = run
        self._cancel = Cancel()
        self._reply: Reply | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            while (piece := await self._run(self._next, self._cancel)) is not None:
                yield piece
        finally:
            await self.close()

    def cancel(self) -> None:
        """Stop the model within a token, and return at once; what came so far stays in `answer`."""
        self._cancel.set()

    async def close(self) -> None:
        """Stop the model, and return when it has stopped. Leaving the `async for` does it too."""
        self.cancel()
        if self._reply is not None:
            with suppress(StoreClosedError):  # then it has stopped
                await self._run(self._reply.close)

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come.

        Raises:
            InputError: no piece has been asked for.
        """
        if self._reply is None:
            raise InputError("the question has not been asked yet", "iterate over the reply first")
        return self._reply.answer

    def _next(self) -> str | None:
        """Return the next piece, None after the last."""
        with suppress(AskCancelledError):
            if self._reply is None:
                self._reply = self._ask(self._cancel)
            return next(self._reply, None)
        return None


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

    Methods are those of `Memory` and raise what those raise.
    """

    instead = "open the store in the other process, by its path or its name"

    def __init__(self, memory: Memory, pool: ThreadPoolExecutor) -> None:
        self._memory = memory
        self._pool = pool
        self._closed = False

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
            progress=_in_loop(progress),
        )
        return await cls._begun(work)

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
        return await cls._begun(work)

    @classmethod
    async def _begun(cls, work: Callable[[], Memory]) -> Self:
        """Return what has opened a store, in the first of its threads."""
        pool = ThreadPoolExecutor(thread_name_prefix="edge-icl")
        try:
            return cls(await asyncio.get_running_loop().run_in_executor(pool, work), pool)
        except BaseException:
            pool.shutdown()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the store, as `Memory.close` does; no thread is left when it returns."""
        if not self._closed:
            self._closed = True
            with ThreadPoolExecutor(1) as closer:  # the threads of the pool may all be at work
                await asyncio.get_running_loop().run_in_executor(closer, self._memory.close)
            self._pool.shutdown()

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
        return f"<AsyncMemory {self.path}{', closed' * self._closed}{', encrypted' * self.encrypted}>"

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

    async def unfinished(self) -> Unfinished | None:
        """Return what a change left that was cut off, as `Memory.unfinished` does."""
        return await self._run(self._memory.unfinished)

    async def load(self) -> None:
        """Load the models now, as `Memory.load` does."""
        await self._run(self._memory.load)

    async def add(
        self, input: str, output: str, *, tags: Iterable[str] = (), source: str | None = None
    ) -> Added:
        """Add one example, as `Memory.add` does."""
        return await self.add_many([Example.create(input, output, tags=tags, source=source)])

    async def add_many(
        self,
        examples: Iterable[ExampleForm],
        *,
        vectors: Iterable[Vector | None] | None = None,
        progress: Progress = silent,
    ) -> Added:
        """Add examples in one commit, as `Memory.add_many` does; `progress` is called in the loop.

        They are taken from their iterable in a thread. A task that is cancelled while texts are embedded adds
        nothing.
        """
        return await self._telling(progress, partial(self._memory.add_many, examples, vectors=vectors))

    async def forget(
        self,
        *ids: IdForm | Added | Iterable[IdForm | Added],
        similar: float | None = None,
        root: str | None = None,
        sign: bool = False,
    ) -> Receipt:
        """Forget examples in one commit, as `Memory.forget` does."""
        return await self._run(partial(self._memory.forget, *ids, similar=similar, root=root, sign=sign))

    async def forget_from(
        self,
        *receipts: ReceiptForm,
        similar: float | None = None,
        root: str | None = None,
        sign: bool = False,
    ) -> Receipt:
        """Forget what was forgotten in another store, in one commit, as `Memory.forget_from` does."""
        work = partial(self._memory.forget_from, *receipts, similar=similar, root=root, sign=sign)
        return await self._run(work)

    async def merge(
        self,
        *stores: Memory | str | os.PathLike[str],
        into: str | os.PathLike[str] | None = None,
        receipts: Iterable[ReceiptForm] = (),
        dry_run: bool = False,
        passphrase: Passphrase | None = None,
    ) -> Merged:
        """Bring the examples of other stores, as `Memory.merge` does; these may be AsyncMemories too."""
        work = partial(
            self._memory.merge,
            *map(_plain, stores),
            into=into,
            receipts=receipts,
            dry_run=dry_run,
            passphrase=passphrase,
        )
        return await self._run(work)

    async def replace(
        self,
        id: IdForm,
        *,
        input: str | None = None,
        output: str | None = None,
        tags: Iterable[str] | None = None,
        source: str | None = None,
    ) -> Replaced:
        """Put a corrected example in the place of one, as `Memory.replace` does."""
        work = partial(self._memory.replace, id, input=input, output=output, tags=tags, source=source)
        return await self._run(work)

    async def reencode(
        self,
        into: str | os.PathLike[str],
        encoder: str | os.PathLike[str],
        *,
        passphrase: Passphrase | None = None,
        progress: Progress = silent,
    ) -> Reencoded:
        """Make a new store with another encoder, as `Memory.reencode` does; `progress` is called in the loop.

        A task that is cancelled while texts are embedded makes nothing.
        """
        return await self._telling(
            progress, partial(self._memory.reencode, into, encoder, passphrase=passphrase)
        )

    async def rename_label(self, old: str, new: str) -> Renamed:
        """Give all examples with one label another, as `Memory.rename_label` does."""
        return await self._run(partial(self._memory.rename_label, old, new))

    async def set_labels(self, setting: LabelsSetting) -> bool:
        """Say whether the outputs are labels, as `Memory.set_labels` does."""
        return await self._run(partial(self._memory.set_labels, setting))

    async def ask(
        self, question: str, options: Options = DEFAULT_OPTIONS, **named: Unpack[OptionFields]
    ) -> Answer:
        """Answer a question, as `Memory.ask` does."""
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
        """Answer many questions, as `Memory.ask_many` does, for `async for`; `progress` is called in the loop.

        The questions are taken from their iterable in a thread.
        """
        cancel, chosen = Cancel(), combined(options, named)
        found = self._memory.ask_many(questions, chosen, progress=_in_loop(progress), cancel=cancel)
        while (answer := await self._run(partial(next, found, None), cancel)) is not None:
            yield answer

    def stream(
        self, question: str, options: Options = DEFAULT_OPTIONS, **named: Unpack[OptionFields]
    ) -> AsyncReply:
        """Answer a question piece by piece, as `Memory.stream` does."""
        chosen = combined(options, named)
        return AsyncReply(lambda cancel: self._memory.stream(question, chosen, cancel=cancel), self._run)

    async def embed(self, texts: Iterable[str], *, progress: Progress = silent) -> list[Vector]:
        """Return the vectors of texts, as `Memory.embed` does; `progress` is called in the loop."""
        return await self._telling(progress, partial(self._memory.embed, texts))

    async def readings(self, texts: Iterable[str], *, progress: Progress = silent) -> list[Reading]:
        """Return how much of texts is read, as `Memory.readings` does; `progress` is called in the loop."""
        return await self._telling(progress, partial(self._memory.readings, texts))

    async def foreign(self) -> Foreign:
        """Return how many inputs are in a language that is not read, as `Memory.foreign` does."""
        return await self._run(self._memory.foreign)

    async def suggest(
        self,
        questions: Iterable[str],
        limit: int = 10,
        *,
        vectors: Iterable[Vector | None] | None = None,
        seen: Iterable[Vector] = (),
        progress: Progress = silent,
    ) -> list[Suggestion]:
        """Return the most useful questions, as `Memory.suggest` does; `progress` is called in the loop."""
        work = partial(self._memory.suggest, questions, limit, vectors=vectors, seen=seen)
        return await self._telling(progress, work)

    async def search(self, text: str, *, limit: int = 10) -> list[Held]:
        """Return the examples whose inputs are nearest to a text, as `Memory.search` does."""
        return await self._run(partial(self._memory.search, text, limit=limit))

    async def select(
        self, question: str, options: Options = DEFAULT_OPTIONS, **named: Unpack[OptionFields]
    ) -> list[Held]:
        """Return the examples that a prompt would show, as `Memory.select` does."""
        return await self._run(partial(self._memory.select, question, combined(options, named)))

    async def find(
        self,
        *,
        match: str | None = None,
        output: str | None = None,
        source: str | None = None,
        tag: str | None = None,
        like: str | None = None,
        min_similarity: float | None = None,
    ) -> list[Held]:
        """Return the examples that fit everything that is given, as `Memory.find` does."""
        work = partial(
            self._memory.find,
            match=match,
            output=output,
            source=source,
            tag=tag,
            like=like,
            min_similarity=min_similarity,
        )
        return await self._run(work)

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

    async def contradictions(self, *examples: ExampleForm | Iterable[ExampleForm]) -> list[Held]:
        """Return the examples that contradict these, as `Memory.contradictions` does."""
        return await self._run(partial(self._memory.contradictions, *examples))

    async def labelling(self) -> Labelling:
        """Return whether the outputs are labels, and why, as `Memory.labelling` does."""
        return await self._run(self._memory.labelling)

    async def outputs(self) -> dict[str, int]:
        """Return each different output and how many examples have it, as `Memory.outputs` does."""
        return await self._run(self._memory.outputs)

    async def has_output(self, output: str) -> bool:
        """Tell whether an example has this output, as `Memory.has_output` does."""
        return await self._run(partial(self._memory.has_output, output))

    async def ids(self) -> list[str]:
        """Return the ids of all examples, sorted, as `Memory.ids` does."""
        return await self._run(self._memory.ids)

    async def get(self, id: IdForm) -> Held:
        """Return the example whose id begins so, as `Memory.get` does."""
        return await self._run(partial(self._memory.get, id))

    async def short(self, id: IdForm) -> str:
        """Return the shortest beginning of an id that no other id has, as `Memory.short` does."""
        return await self._run(partial(self._memory.short, id))

    async def check(
        self,
        *,
        held_out: Iterable[ExampleForm] | None = None,
        encoder: str | os.PathLike[str] | None = None,
        progress: Progress = silent,
    ) -> Check:
        """Look how good the store is, as `Memory.check` does; `progress` is called in the loop."""
        return await self._telling(progress, partial(self._memory.check, held_out=held_out, encoder=encoder))

    async def report(self, *, progress: Progress = silent) -> Report:
        """Return a page that shows the store, as `Memory.report` does; `progress` is called in the loop."""
        return await self._telling(progress, self._memory.report)

    async def verify(
        self,
        *,
        deep: bool = False,
        receipt: Receipt | Replaced | Renamed | Mapping[str, Any] | str | bytes | None = None,
        signed_by: str | None = None,
        progress: Progress = silent,
    ) -> Verification:
        """Check every byte of the store, as `Memory.verify` does; `progress` is called in the loop."""
        work = partial(self._memory.verify, deep=deep, receipt=receipt, signed_by=signed_by)
        return await self._telling(progress, work)

    async def change_passphrase(self, passphrase: Passphrase) -> None:
        """Give an encrypted store another passphrase, as `Memory.change_passphrase` does."""
        await self._run(partial(self._memory.change_passphrase, passphrase))

    async def _telling(self, progress: Progress, work: Callable[..., T]) -> T:
        """Run work that takes a progress callback; `progress` is called in the loop.

        A task that is cancelled meanwhile ends the work when it next tells of its progress.
        """
        cancel = Cancel()
        return await self._run(partial(work, progress=_in_loop(progress, cancel)), cancel)

    async def _run(self, work: Callable[[], T], cancel: Cancel | None = None) -> T:
        """Run work in a thread; a task that is cancelled meanwhile waits for its end."""
        if self._closed:
            raise StoreClosedError(f"the store {self.path} is closed", "open it again")
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if cancel is not None:
                cancel.set()
            future.add_done_callback(lambda done: done.exception())  # else asyncio warns of it
            await asyncio.wait([future])
            raise


def _in_loop(progress: Progress, cancel: Cancel | None = None) -> Progress:
    """Return a callback for other threads that has the loop call `progress`, and ends cancelled work."""
    loop = asyncio.get_running_loop()
    arguments.told(progress)

    def told(stage: str, done: int, total: int) -> None:
        if cancel is not None:
            cancel.check()
        loop.call_soon_threadsafe(progress, stage, done, total)

    return told


def _plain(store: Any) -> Any:
    """Return the memory in an AsyncMemory; anything else as it is."""
    return store._memory if isinstance(store, AsyncMemory) else store  # noqa: SLF001 - its own module
