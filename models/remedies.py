"""What helps where a model is missing or damaged: the command to type."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edge_icl.errors import ModelMissingError
from edge_icl.models import catalogue
from edge_icl.models.default import By, Chosen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HERE = "`edge-icl models list` shows which are here"


def missing(name: str, here: Sequence[str]) -> ModelMissingError:
    """Return the error that names the command that helps.

    Args:
        name: the model's.
        here: the names of the models on this machine.
    """
    if catalogue.find(name) is not None:
        return ModelMissingError(
            f"the model {name} is not on this machine yet", f"fetch it once: edge-icl models fetch {name}"
        )
    return ModelMissingError(
        f"there is no model {name} on this machine",
        near(name, here)
        or f"add it with `{_typed('import', name, 'FILE')}`, or see what can be fetched: edge-icl models list",
    )


def missing_at(place: Path) -> ModelMissingError:
    """Return the error for a path where no installed model is."""
    if not place.exists():
        return ModelMissingError(
            f"there is nothing at {place}", "give the folder of a model; `edge-icl models list` shows names"
        )
    return ModelMissingError(
        f"{place} is not the folder of an installed model",
        f"{_typed('import', 'NAME', str(place))} makes one of what can be imported",
    )


def absent(name: str, here: Sequence[str]) -> ModelMissingError:
    """Return the error for a model that is not here, so that nothing can be done with it."""
    return ModelMissingError(f"there is no model {name} on this machine", near(name, here) or _HERE)


def near(name: str, here: Sequence[str]) -> str:
    """Return the hint that a model of nearly the same name may be meant; "" where there is none."""
    likely = alike(name, here)
    return f"did you mean {' or '.join(likely)}? {_HERE}" if likely else ""


def alike(name: str, names: Sequence[str]) -> list[str]:
    """Return which of some names may be meant by one that is none of them, the likeliest first."""
    import difflib

    return difflib.get_close_matches(name, names)


def missing_default(chosen: Chosen, error: ModelMissingError) -> ModelMissingError:
    """Return the error for a default model that is missing: it says who made it the default."""
    if chosen.by is By.BUILT_IN:
        return error
    if chosen.by is By.ENVIRONMENT:
        return ModelMissingError(f"{error.message}, and $EDGE_ICL_MODEL names it", error.hint)
    hint = (
        "take another, `edge-icl models default NAME`, or the built-in one, `edge-icl models default --reset`"
    )
    return ModelMissingError(f"{error.message}, and it is the default", hint)


def _typed(*words: str) -> str:
    """Return a command about models."""
    return shlex.join(["edge-icl", "models", *words])


def again(name: str) -> str:
    """Return the hint for a model that is damaged."""
    if catalogue.find(name) is None:
        return f"remove it and import it again: edge-icl models remove {name}"
    return f"fetch it again: edge-icl models fetch {name}"
