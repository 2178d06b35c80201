"""Teach a local LLM with your own examples, and take any of them back exactly.

What a program needs is here: `Memory`, `Example`, the records that methods return, and the errors. The layers
below, each importing only those before it:

    errors, progress         what goes wrong, and how far work has come
    interruptible, fork      Ctrl-C while C code works, and processes that were forked
    cancel                   stopping a question from another thread
    example                  one example, normalised, and its id
    cluster                  quantized k-means: a function of the seed and the set of examples
    store                    canonical pages on disk: commit, recovery, wipe, audit
    similarity               how alike examples are
    prior                    what the examples themselves say about a question's label
    selection, prompt        which examples, and as what text
    encoder, llm             texts to vectors; prompts to answers
    models                   which models are on this machine, how they are used; the only network code
    unlocking                passphrases, and the keys that they unwrap
    vector                   a vector on its way from one store to another
    lifetime, shared         who is at work in an open store, and what several open stores share
    options, view, reply     how to ask, what a state of the store offers, an answer in the making
    asking, searching        one state of a store, asked and searched
    place, opening           where a store is, and making one
    reader, memory           an open store, read and asked; Memory, which also changes it and knows all others
    aio, mcp                 the same for asyncio, and for assistants
    cli                      the command line
"""

from importlib import import_module
from typing import TYPE_CHECKING

from edge_icl.errors import (
    AmbiguousIdError,
    AskCancelledError,
    ConfirmationError,
    EdgeIclError,
    ExampleNotFoundError,
    ExamplesChangedError,
    FetchError,
    InputError,
    ModelComputationError,
    ModelError,
    ModelFileError,
    ModelForkedError,
    ModelMissingError,
    NotAStoreError,
    NotInstalledError,
    PassphraseError,
    StoreAccessError,
    StoreBusyError,
    StoreChangedError,
    StoreClosedError,
    StoreDamagedError,
    StoreEncoderError,
    StoreError,
    StoreExistsError,
    StoreExposedError,
    StoreFormatError,
    StoreNotFoundError,
)

if TYPE_CHECKING:
    from edge_icl.cancel import Cancel
    from edge_icl.example import Example
    from edge_icl.memory import Memory
    from edge_icl.options import Options
    from edge_icl.records import Added, Answer, Held, Receipt, Replaced, Verification
    from edge_icl.reply import Reply
    from edge_icl.store.keys import Stretch
    from edge_icl.unlocking import Keyring
    from edge_icl.vector import Vector

__all__ = [
    "Added",
    "AmbiguousIdError",
    "Answer",
    "AskCancelledError",
    "Cancel",
    "ConfirmationError",
    "EdgeIclError",
    "Example",
    "ExampleNotFoundError",
    "ExamplesChangedError",
    "FetchError",
    "Held",
    "InputError",
    "Keyring",
    "Memory",
    "ModelComputationError",
    "ModelError",
    "ModelFileError",
    "ModelForkedError",
    "ModelMissingError",
    "NotAStoreError",
    "NotInstalledError",
    "Options",
    "PassphraseError",
    "Receipt",
    "Replaced",
    "Reply",
    "StoreAccessError",
    "StoreBusyError",
    "StoreChangedError",
    "StoreClosedError",
    "StoreDamagedError",
    "StoreEncoderError",
    "StoreError",
    "StoreExistsError",
    "StoreExposedError",
    "StoreFormatError",
    "StoreNotFoundError",
    "Stretch",
    "Vector",
    "Verification",
]
__version__ = "0.1.0"

_HOMES = {
    "Added": "records",
    "Answer": "records",
    "Cancel": "cancel",
    "Example": "example",
    "Held": "records",
    "Keyring": "unlocking",
    "Memory": "memory",
    "Options": "options",
    "Receipt": "records",
    "Replaced": "records",
    "Reply": "reply",
    "Stretch": "store.keys",
    "Vector": "vector",
    "Verification": "records",
}
"""Where the names are that need numpy or more: each is loaded when it is first asked for, so that `edge-icl
--version` and the like do not wait for it."""


def __getattr__(name: str) -> object:
    """Return a name of `_HOMES`, from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return what `from edge_icl import *` gives, also before it is loaded."""
    return sorted({*globals(), *__all__})
