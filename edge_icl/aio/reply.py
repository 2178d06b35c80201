"""An answer in the making, for `async for`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from edge_icl.errors import AskCancelledError, InputError, StoreClosedError
from edge_icl.runtime.bound import Bound
from edge_icl.runtime.cancel import Cancel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from edge_icl.answer.reply import Reply
    from edge_icl.results import Answer

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
