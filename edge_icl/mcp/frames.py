"""The messages that a client writes, a line each: a line that is no message is answered, and goes no further.

The SDK reads standard input with U+FFFD in place of every byte that is not UTF-8, so that an example would be
kept as another text than was sent; and it silently drops what it cannot read. So the lines are read here, and
only those that are messages are passed on.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, JSONRPCError
from mcp_types.jsonrpc import INVALID_REQUEST, PARSE_ERROR, JSONRPCNotification, jsonrpc_message_adapter
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from typing import BinaryIO

MOST_BYTES = 1 << 20
"""Of one message: far more than an example that a model's context can hold."""


class WrongFrameError(Exception):
    """A line is no message.

    Args:
        code: of JSON-RPC.
        message: what is wrong with it.
        id: of the request, where that much can be read.
    """

    def __init__(self, code: int, message: str, id: int | str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.id = code, message, id

    def answer(self) -> SessionMessage:
        """Return what the client is told."""
        error = ErrorData(code=self.code, message=self.message)
        return SessionMessage(JSONRPCError(jsonrpc="2.0", id=self.id, error=error))


async def messages(file: BinaryIO, refuse: Callable[[SessionMessage], Awaitable[None]]) -> AsyncIterator[str]:
    """Yield the lines that are messages until the file ends.

    Args:
        file: where they come from.
        refuse: sends the answer to a line that is none.
    """
    while line := await anyio.to_thread.run_sync(_line, file):
        try:
            if text := checked(line):
                yield text
        except WrongFrameError as wrong:
            await refuse(wrong.answer())


def checked(line: bytes) -> str:
    """Return a line as text if it is a message; "" for an empty one.

    Raises:
        WrongFrameError: it is none.
    """
    if len(line) > MOST_BYTES:
        raise WrongFrameError(INVALID_REQUEST, f"a message has at most {MOST_BYTES:,} bytes, this one has more")
    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        raise WrongFrameError(PARSE_ERROR, "the message is not UTF-8") from None
    if text:
        try:
            message = jsonrpc_message_adapter.validate_json(text, by_name=False)
        except ValidationError:
            raise _wrong(text) from None
        # The SDK takes a request without a valid id for a notification, which gets no answer.
        if isinstance(message, JSONRPCNotification) and "id" in json.loads(text):
            raise _wrong(text)
    return text


def _wrong(text: str) -> WrongFrameError:
    """Return what is wrong with a line that is no message."""
    try:
        fields: Any = json.loads(text)
    except (ValueError, RecursionError):
        return WrongFrameError(PARSE_ERROR, "the message is not JSON, or nested too deeply")
    found = fields.get("id") if isinstance(fields, dict) else None
    return WrongFrameError(
        INVALID_REQUEST, "the message is not a request of JSON-RPC 2.0", found if _can_be_sent(found) else None
    )


def _can_be_sent(id: object) -> bool:
    """Tell whether an answer can have this id: a number, or text of a length and of characters that fit."""
    try:
        return type(id) in (int, str) and len(str(id).encode()) < MOST_BYTES
    except UnicodeEncodeError:
        return False


def _line(file: BinaryIO) -> bytes:
    """Return the next line; of one that is too long only a beginning that is too long as well."""
    line = file.readline(MOST_BYTES + 1)
    rest = line
    while len(rest) > MOST_BYTES and not rest.endswith(b"\n"):
        rest = file.readline(MOST_BYTES + 1)
    return line


@contextmanager
def own_input() -> Iterator[BinaryIO]:
    """Give standard input, which meanwhile is empty for all else in this process, and for its children."""
    if os.name != "posix" or sys.stdin.fileno() != 0:
        yield sys.stdin.buffer
        return
    private = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    try:
        # A thread may still be reading when the server ends: what it reads from must not be closed under it.
        yield os.fdopen(private, "rb", closefd=False)
    finally:
        os.dup2(private, 0)
