"""What helps where a model is missing or damaged: the command to type."""

from __future__ import annotations

from edge_icl.errors import ModelMissingError
from edge_icl.models import catalogue


def missing(name: str) -> ModelMissingError:
    """Return the error that names the command that helps."""
    if catalogue.find(name) is None:
        return ModelMissingError(
            f"there is no model {name} on this machine",
            f"add one: edge-icl models import {name} FILE, or see what can be fetched: edge-icl models list",
        )
    return ModelMissingError(
        f"the model {name} is not on this machine yet", f"fetch it once: edge-icl models fetch {name}"
    )


def again(name: str) -> str:
    """Return the hint for a model that is damaged."""
    if catalogue.find(name) is None:
        return f"remove it and import it again: edge-icl models remove {name}"
    return f"fetch it again: edge-icl models fetch {name}"
