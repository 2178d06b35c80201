"""The partial file: the answers so far to a file of questions, until all of them are there.

    {"edge_icl_answers": 1, "store": "5e1f…", "model": "9b2c…", "options": {…}, "questions": "77aa…"}
    {"answer": "travel", "probability": 0.93, "asked_model": false, "error": "", "doubts": []}

A JSON object a line: first what the answers follow from, then what became of each question, in their order. The
lines are written as the answers come, so a run that is cut off loses at most the one that was being written. A
run that goes on must have the same store, model, options and questions: no table mixes answers of two.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, BinaryIO

from edge_icl.cli import interrupts
from edge_icl.cli.formats.answered import Result
from edge_icl.errors import InputError
from edge_icl.store.files import FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "edge_icl_answers"
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OLD = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_PARTS = {"store": "other examples", "model": "another model", "questions": "other questions"}


@dataclass(frozen=True, slots=True)
class Basis:
    """What the answers to a file of questions follow from, apart from the program and the processor.

    Attributes:
        store: the store's root.
        model: the digest of the LLM's file; None where it is not on this machine.
        options: how is asked.
        questions: a digest of the rows and of where they have their questions.
    """

    store: str
    model: str | None
    options: dict[str, Any]
    questions: str

    def as_json(self) -> dict[str, Any]:
        """Return the first line of a partial file."""
        return {VERSION: 1, **asdict(self)}

    def differences(self, begun: dict[str, Any]) -> list[str]:
        """Return what is not as it was in a run that began with this first line, in words."""
        now = json.loads(json.dumps(self.as_json()))
        found = [words for part, words in _PARTS.items() if begun.get(part) != now[part]]
        before = begun.get("options") or {}
        return found + [
            f"{name} {json.dumps(before.get(name))}"
            for name, value in now["options"].items()
            if before.get(name) != value
        ]


class Partial:
    """A partial file that is open. Make one with `opened`.

    Attributes:
        path: where it is.
        count: how many questions it has the results of.
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.count = 0
        self._stream = stream

    def begin(self, basis: Basis) -> None:
        """Write the first line."""
        self._put(basis.as_json())

    def go_on(self) -> None:
        """Count the results, and cut off what was not written to its end."""
        self._stream.seek(0)
        end = len(self._stream.readline())
        for line in self._stream:
            if _result(line) is None:
                break
            self.count, end = self.count + 1, end + len(line)
        self._stream.seek(end)
        self._stream.truncate()

    def add(self, result: Result) -> None:
        """Add what became of the next question."""
        self._put(asdict(result))
        self.count += 1

    def results(self) -> Iterator[Result]:
        """Yield what became of the questions, in their order; nothing can be added then."""
        self._stream.seek(0)
        self._stream.readline()
        for line in self._stream:
            result = _result(line)
            assert result is not None
            yield result

    def remove(self) -> None:
        """Remove it: it has the results of no question any more."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        self.count = 0

    def _put(self, record: dict[str, Any]) -> None:
        """Write a line, so that it outlives this process."""
        self._stream.write(json.dumps(record).encode() + b"\n")
        self._stream.flush()


@contextmanager
def opened(path: Path, basis: Basis, *, resume: bool, over: str) -> Iterator[Partial]:
    """Open the partial file of a run; if the block fails it stays, unless nothing was answered.

    Args:
        path: where it is, or is to be.
        basis: what the run's answers follow from.
        resume: go on from what is there; otherwise it is removed first.
        over: the command that starts over.

    Raises:
        InputError: what is there is something else, or was begun otherwise; or the operating system refuses.
    """
    begun = _begun(path)
    if begun is not None and resume:
        other = basis.differences(begun)
        if other:
            raise InputError(f"{path} was begun with {', '.join(other)}", f"start over: {over}")
    goes_on = begun is not None and resume
    with interrupts.held():
        try:
            if begun is not None and not goes_on:
                path.unlink()
            number = os.open(path, _OLD if goes_on else _NEW, FILE_MODE)
            path.chmod(FILE_MODE)  # a umask may have taken from it
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}", "choose another path") from error
        with os.fdopen(number, "r+b") as stream:
            partial = Partial(path, stream)
            try:
                with interrupts.heard():
                    if goes_on:
                        partial.go_on()
                    else:
                        partial.begin(basis)
                    yield partial
            except BaseException:
                if not partial.count:
                    partial.remove()
                raise


def _begun(path: Path) -> dict[str, Any] | None:
    """Return the first line of a partial file; None where there is no file.

    Raises:
        InputError: it is another file.
    """
    try:
        if path.is_symlink() or not path.is_file():
            if path.is_symlink() or path.exists():
                raise InputError(f"{path} is not a file", "choose another name for --out")
            return None
        with path.open("rb") as stream:
            begun = json.loads(stream.readline())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "choose another path") from error
    except ValueError:
        begun = None
    if not isinstance(begun, dict) or begun.get(VERSION) != 1:
        raise InputError(
            f"{path} is another file, not what `edge-icl ask` left", "choose another name for --out"
        )
    return begun


def _result(line: bytes) -> Result | None:
    """Return what a line says of a question; None for one that was not written to its end."""
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    if not isinstance(record, dict) or set(record) != {field.name for field in fields(Result)}:
        return None
    return Result(**{**record, "doubts": tuple(record["doubts"])})
