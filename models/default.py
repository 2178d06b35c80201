"""Which LLM answers where none is named: that of the environment, of the setting, or the built-in one.

    >>> chosen()
    Chosen(name='smollm2-135m-instruct', by=<By.BUILT_IN: 'built in'>)

The setting is a field of `settings.json` in the home; fields that are not known here stay as they are.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge_icl.errors import ModelError, ModelFileError
from edge_icl.models import catalogue
from edge_icl.models.regular import read_regular
from edge_icl.runtime.home import home

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "EDGE_ICL_MODEL"
FILE = "settings.json"
FIELD = "model"
AGAIN = "say again which it is, `edge-icl models default NAME`, or `edge-icl models default --reset`"
_LARGEST = 1 << 20


class By(StrEnum):
    """What says which LLM is the default."""

    ENVIRONMENT = "environment"
    SETTING = "setting"
    BUILT_IN = "built in"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The default LLM.

    Attributes:
        name: its name; the environment may also give the path of a GGUF file.
        by: what says so.
    """

    name: str
    by: By


def chosen() -> Chosen:
    """Return the default LLM; it need not be on this machine.

    Raises:
        ModelFileError: the settings are damaged, or cannot be read.
    """
    if named := os.environ.get(VARIABLE):
        return Chosen(named, By.ENVIRONMENT)
    found = _read().get(FIELD)
    return Chosen(found, By.SETTING) if found else Chosen(catalogue.DEFAULT_LLM, By.BUILT_IN)


def set_default(name: str | None) -> None:
    """Set which LLM is the default.

    Args:
        name: of one that is on this machine; None for the built-in one. Damaged settings are replaced.

    Raises:
        ModelError: the name is empty, or the operating system refused; nothing was changed.
    """
    if name == "":
        raise ModelError("the name of the model is empty", "`edge-icl models list` shows which there are")
    path = home() / FILE
    try:
        fields = _read()
    except ModelFileError:
        fields = {}
    fields.pop(FIELD, None)
    fields |= {} if name is None else {FIELD: name}
    draft = path.with_name(f".{FILE}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(draft, json.dumps(fields, indent=1, sort_keys=True).encode() + b"\n")
        draft.replace(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror}", "nothing was changed") from error
    finally:
        draft.unlink(missing_ok=True)


def _read() -> dict[str, Any]:
    """Return the settings; none where there is no file.

    Raises:
        ModelFileError: they are damaged, or cannot be read.
    """
    path = home() / FILE
    try:
        fields = json.loads(read_regular(path, most=_LARGEST))
        if isinstance(fields, dict) and isinstance(fields.get(FIELD, ""), str):
            return fields
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read: {error.strerror or error}", "check its permissions"
        ) from error
    except (ValueError, TypeError, RecursionError):
        pass
    raise ModelFileError(f"{path}, which says what the default model is, is damaged", AGAIN)


def _write(path: Path, data: bytes) -> None:
    """Write a new file that only this user can read, and bring it to the disk."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(file)
