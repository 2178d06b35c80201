"""A folder of labelled rows, and what they follow from.

    run.json             {"edge_icl_labels": 1, "root": "5e1f…", "options": {…}, "input": […], …}
    part-00000.parquet   the first rows, with their answers
    part-00001.parquet   the next ones

A run that goes on must have the same store, model, options, questions and kind of machine as the one that
began: no folder mixes answers of two.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from edge_icl.errors import InputError
from edge_icl.store.files import FILE_MODE, Files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

VERSION = "edge_icl_labels"
RECORD = "run.json"

_WORDS = {
    "root": "other examples",
    "encoder": "another encoder",
    "model": "another model",
    "input": "other questions",
}


@dataclass(frozen=True, slots=True)
class Record:
    """What a run is: the content of run.json.

    Attributes:
        store: the store, as it was named.
        root: its state.
        encoder: the digest of its encoder.
        model: the digest of the model; None where it is not asked.
        options: how is asked.
        column: the field with the questions.
        allow_mixed: whether there is a column for machines that compute otherwise.
        machine: what the first machine computes.
        input: the files of questions: their names, rows and digests.
        rows_per_part: how many rows a part has; the last may have fewer.
    """

    store: str
    root: str
    encoder: str
    model: str | None
    options: dict[str, Any]
    column: str
    allow_mixed: bool
    machine: dict[str, Any]
    input: list[dict[str, Any]]
    rows_per_part: int

    @property
    def stamp(self) -> dict[str, Any]:
        """What each part says of itself."""
        said = asdict(self)
        return {name: said[name] for name in ("root", "encoder", "model", "options", "column")}

    def write(self, folder: Path) -> None:
        """Write it, once, into a folder.

        Raises:
            OSError: the operating system refuses.
        """
        text = json.dumps({VERSION: 1, **asdict(self)}, indent=1, ensure_ascii=False)
        complete(folder, RECORD, lambda path: path.write_text(text + "\n", encoding="utf-8"))

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return that of a folder; None where it has none.

        Raises:
            InputError: it is another file.
        """
        path = folder / RECORD
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error
        except ValueError:
            said = None
        if (
            not isinstance(said, dict)
            or said.pop(VERSION, None) != 1
            or {*said} != {one.name for one in fields(cls)}
        ):
            raise InputError(
                f"{path} is another file, not what `edge-icl ask` left", "choose another name for --out"
            )
        return cls(**said)

    def differences(self, now: Record, remarks: Sequence[str]) -> list[str]:
        """Return what is not as it was in this run, in words.

        Args:
            now: the run that would go on with it.
            remarks: what the machine that would go on computes otherwise.
        """
        before, after = asdict(self), json.loads(json.dumps(asdict(now)))
        same_way = before["options"].get("ask_model") == after["options"].get("ask_model")
        found = [
            words
            for name, words in _WORDS.items()
            if before[name] != after[name] and (same_way or name != "model")
        ]
        if remarks and same_way and not self.allow_mixed:
            found.append(f"a machine that computes otherwise ({'; '.join(remarks)})")
        found += [f"--input-field {before['column']}"] if before["column"] != after["column"] else []
        if before["allow_mixed"] != after["allow_mixed"]:
            found.append("--allow-mixed" if before["allow_mixed"] else "no --allow-mixed")
        if before["rows_per_part"] != after["rows_per_part"]:
            found.append(f"--rows-per-part {before['rows_per_part']}")
        return found + [
            f"{name} {json.dumps(before['options'].get(name))}"
            for name, value in after["options"].items()
            if before["options"].get(name) != value
        ]


def begun(out: Path, store: Path, *, go_on: str | None) -> Record | None:
    """Return what a run that goes on has begun with; None for a new one.

    Args:
        out: its folder.
        store: the store's.
        go_on: the command that goes on; None where this is it.

    Raises:
        InputError: the folder may not be there, or is another one.
    """
    if out.resolve().is_relative_to(store.resolve()):
        raise InputError(f"{out} is inside the store", "keep it elsewhere, or not at all")
    if store.resolve().is_relative_to(out.resolve()):
        raise InputError(f"the store is inside {out}", "choose another name for --out")
    if not out.exists() and not out.is_symlink():
        return None
    if not out.is_dir():
        raise InputError(f"there is a file {out} already", "choose another name")
    if not any(out.iterdir()):
        return None
    found = Record.read(out)
    if found is None:
        raise InputError(f"there is a folder {out} already, with other files", "choose another name")
    if go_on is not None:
        raise InputError(f"there are answers in {out} already", f"go on with them: {go_on}")
    return found


def complete(folder: Path, name: str, put: Callable[[Path], object]) -> None:
    """Have a file in a folder when all of it is on the disk, and not before.

    Args:
        folder: where.
        name: of the file.
        put: writes it under another name.

    Raises:
        OSError: the operating system refuses.
    """
    draft = folder / f".{name}.{secrets.token_hex(4)}"
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
        put(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(folder / name)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    Files().flush_directory(folder)
