"""Teach a local LLM with your own examples, and take any of them back exactly.

What a program needs is here: `Memory`, `Example`, the records that methods return, and the errors. The layers
below, each importing only those before it:

    errors, progress         what goes wrong, and how far work has come
    example                  one example, normalised, and its id
    cluster                  quantized k-means: a function of the seed and the set of examples
    store                    canonical pages on disk: commit, recovery, wipe, audit
    similarity               how alike examples are
    prior                    what the examples themselves say about a question's label
    selection, prompt        which examples, and as what text
    encoder, llm             texts to vectors; prompts to answers
    models                   which models are on this machine; the only network code
    vector                   a vector on its way from one store to another
    options, view, reply     how to ask, what a state of the store offers, an answer in the making
    asking, searching        one state of a store, asked and searched
    memory                   Memory, which knows all of them
    cli                      the command line
"""

from edge_icl.errors import (
    AmbiguousIdError,
    ConfirmationError,
    EdgeIclError,
    ExampleNotFoundError,
    FetchError,
    InputError,
    ModelError,
    ModelFileError,
    ModelMissingError,
    NotAStoreError,
    StoreAccessError,
    StoreBusyError,
    StoreClosedError,
    StoreDamagedError,
    StoreEncoderError,
    StoreError,
    StoreExistsError,
    StoreFormatError,
    StoreNotFoundError,
)
from edge_icl.example import Example
from edge_icl.memory import Memory
from edge_icl.options import Options
from edge_icl.records import Added, Answer, Held, Receipt, Replaced, Verification
from edge_icl.reply import Reply
from edge_icl.vector import Vector

__all__ = [
    "Added",
    "AmbiguousIdError",
    "Answer",
    "ConfirmationError",
    "EdgeIclError",
    "Example",
    "ExampleNotFoundError",
    "FetchError",
    "Held",
    "InputError",
    "Memory",
    "ModelError",
    "ModelFileError",
    "ModelMissingError",
    "NotAStoreError",
    "Options",
    "Receipt",
    "Replaced",
    "Reply",
    "StoreAccessError",
    "StoreBusyError",
    "StoreClosedError",
    "StoreDamagedError",
    "StoreEncoderError",
    "StoreError",
    "StoreExistsError",
    "StoreFormatError",
    "StoreNotFoundError",
    "Vector",
    "Verification",
]
__version__ = "0.1.0"
