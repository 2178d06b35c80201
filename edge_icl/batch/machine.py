"""A machine of a fleet: what a process on it computes, and how that differs from another one.

    >>> first = label.machine()                      # on the machine that begins
    >>> first.differs(label.machine())               # on another
    ('the encoder gives other vectors',)

Answers are equal bit for bit on one kind of processor, and nearly equal on another. Nearly is not what a table
of labels should be: an average of two kinds of machines cannot be made again.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

from edge_icl.errors import InputError, MachineDiffersError

if TYPE_CHECKING:
    from edge_icl.answer.open_store import OpenReader
    from edge_icl.answer.options import Options

DIFFERENCES = {
    "edge_icl": "edge-icl has version {1}, not {0}",
    "encoder": "the encoder gives other vectors",
    "prior": "numpy gives other probabilities",
    "llama_cpp": "llama-cpp-python has version {1}, not {0}",
    "weights": "the model is another one",
    "fit": "the model passed its check with {1}, not {0}",
    "model": "llama.cpp gives other probabilities",
}
"""What is said of each field that differs, in the order of the fields."""

OF_THE_MODEL = ("llama_cpp", "weights", "fit", "model")


@dataclass(frozen=True, slots=True)
class Machine:
    """What a process computes, of all that answers depend on. Made by `Labeler.machine`.

    Attributes:
        host: the name of the machine; of no weight in comparing.
        edge_icl: the version of this package.
        encoder: digest of the vectors of fixed texts.
        prior: digest of what the prior says of fixed vectors.
        llama_cpp: the version of llama-cpp-python; this and what follows is None where the model is not asked.
        weights: digest of the model.
        fit: the settings with which the model passed its check on the machine.
        model: digest of what the model says of a fixed text.
    """

    host: str
    edge_icl: str
    encoder: str
    prior: str
    llama_cpp: str | None = None
    weights: str | None = None
    fit: str | None = None
    model: str | None = None

    def differs(self, other: Machine) -> tuple[str, ...]:
        """Return what is different on another machine, a clause each; nothing where answers are equal."""
        asks = (self.model is not None, other.model is not None)
        names = [name for name in DIFFERENCES if all(asks) or name not in OF_THE_MODEL]
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        found = [DIFFERENCES[name].format(*pair) for name, pair in pairs.items() if pair[0] != pair[1]]
        return (*found, "only one of them asks the model") if any(asks) and not all(asks) else tuple(found)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return what `as_json` made a document of.

        Raises:
            InputError: this is no such document.
        """
        known = document if isinstance(document, Mapping) else {}
        found: dict[str, Any] = {one.name: known.get(one.name) for one in fields(cls)}
        needed = [found[one.name] for one in fields(cls) if one.default is MISSING]
        if None in needed or not all(isinstance(value, str | None) for value in found.values()):
            raise InputError("this does not describe a machine", "give what Machine.as_json returned")
        return cls(**found)


def measured(opened: OpenReader, options: Options) -> Machine:
    """Return what this process computes for a store and options; loads what answers may need.

    The model is loaded only where these options let it be asked. With "auto" it is, though perhaps no row will
    need it: a machine that computes otherwise is to be seen at the start, not after hours, at the first row in
    doubt. With "never" it is not even looked for, so a fleet that answers by the examples alone needs none.
    """
    from edge_icl import __version__
    from edge_icl.batch import canaries

    with opened.lifetime.at_work():
        own = Machine(
            host=platform.node(),
            edge_icl=__version__,
            encoder=canaries.of_encoder(opened.engines.encoder()),
            prior=canaries.of_prior(opened.store.settings.dimension),
        )
        return own if options.ask_model == "never" else _with_model(own, opened)


def refuse_other(first: Machine, own: Machine, remarks: tuple[str, ...]) -> None:
    """Refuse to go on where this machine differs from the first one.

    Raises:
        MachineDiffersError: it does.
    """
    if remarks:
        raise MachineDiffersError(
            f"the machine {own.host} computes otherwise than {first.host}: {'; '.join(remarks)}",
            "use machines of one kind with the same versions; or allow a mixed fleet, which marks the rows",
        )


def _with_model(own: Machine, opened: OpenReader) -> Machine:
    """Return the same with what is known of the model, which is loaded."""
    from edge_icl.batch import canaries
    from edge_icl.llm.build import llama_version

    _, model = opened.engines.model()
    buffers = "with" if model.extra_buffers else "without"
    return replace(
        own,
        llama_cpp=llama_version(),
        weights=model.identity,
        fit=f"{model.gpu_layers or 'no'} layers on a GPU and {buffers} extra buffers",
        model=canaries.of_model(model),
    )
