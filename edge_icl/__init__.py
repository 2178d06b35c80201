"""Teach a local LLM with your own examples, and take any of them back exactly.

What a program needs is here: `Memory`, `Example`, the records that methods return, and the errors. Below are
rooms, each of which imports only those before it, and says in its docstring in which order to read it:

    errors     what goes wrong: one tree of exceptions
    freezing   what PyInstaller is told, so that a frozen program is whole
    runtime    processors, threads, signals, children, what is at work in an open store
    display    texts as they are shown: escapes for the unseen, HTML that runs nothing
    example    one example, normalised, and its id
    cluster    quantized k-means: a function of the seed and the set of examples
    store      canonical pages on disk: commit, recovery, wipe, audit
    results    what methods return: frozen records
    search     which examples are near a text, or hold it
    prompt     which text the model is shown
    prior      what the examples themselves say about a question's label
    encode     texts to vectors
    llm        prompts to answers; the only room that knows llama.cpp
    models     which models are on this machine, how they are used; the only network code
    access     where a store is, making one, passphrases, verifying
    answer     from a question to an answer
    report     a page to look at a store: labels, a map, what to correct, every example
    forms      in which forms callers give examples, and say which ones are meant
    changes    what add, forget, replace, rename_label, set_labels, reencode and merge do
    memory     Memory: each method is one call into a room
    batch      labels for tables of any engine, in as many processes as it starts
    fields     rows of programs whose examples have named fields
    aio, mcp   the same for asyncio, and for assistants
    sklearn, langchain, dspy   the same for scikit-learn, LangChain and DSPy
    ray        labels for Ray Data's datasets
    formats    files of examples and questions; it stands in the command line's folder
    openai     answers in the shape of OpenAI's chat completions
    cli        the command line
"""

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
    MachineDiffersError,
    ModelComputationError,
    ModelError,
    ModelFileError,
    ModelForkedError,
    ModelMissingError,
    NotAStoreError,
    NotInstalledError,
    PassphraseError,
    SignatureError,
    StoreAccessError,
    StoreBusyError,
    StoreChangedError,
    StoreClosedError,
    StoreDamagedError,
    StoreEmptyError,
    StoreEncoderError,
    StoreError,
    StoreExistsError,
    StoreExposedError,
    StoreFormatError,
    StoreNotFoundError,
)
from edge_icl.runtime import late

if TYPE_CHECKING:
    from edge_icl.access.passphrases import Keyring
    from edge_icl.access.stores import StoreInfo, list_stores, remove_store, rename_store
    from edge_icl.answer.check import Check
    from edge_icl.answer.options import Options
    from edge_icl.answer.reply import Reply
    from edge_icl.cli.formats.examples import FileExamples, read
    from edge_icl.encode.vector import Vector
    from edge_icl.example import Example
    from edge_icl.memory import Memory
    from edge_icl.results import (
        Added,
        Answer,
        Held,
        Merged,
        Near,
        Receipt,
        Reencoded,
        Renamed,
        Replaced,
        Report,
        Suggestion,
    )
    from edge_icl.runtime.cancel import Cancel
    from edge_icl.store.findings import Verification
    from edge_icl.store.keys import Stretch

__all__ = [
    "Added",
    "AmbiguousIdError",
    "Answer",
    "AskCancelledError",
    "Cancel",
    "Check",
    "ConfirmationError",
    "EdgeIclError",
    "Example",
    "ExampleNotFoundError",
    "ExamplesChangedError",
    "FetchError",
    "FileExamples",
    "Held",
    "InputError",
    "Keyring",
    "MachineDiffersError",
    "Memory",
    "Merged",
    "ModelComputationError",
    "ModelError",
    "ModelFileError",
    "ModelForkedError",
    "ModelMissingError",
    "Near",
    "NotAStoreError",
    "NotInstalledError",
    "Options",
    "PassphraseError",
    "Receipt",
    "Reencoded",
    "Renamed",
    "Replaced",
    "Reply",
    "Report",
    "SignatureError",
    "StoreAccessError",
    "StoreBusyError",
    "StoreChangedError",
    "StoreClosedError",
    "StoreDamagedError",
    "StoreEmptyError",
    "StoreEncoderError",
    "StoreError",
    "StoreExistsError",
    "StoreExposedError",
    "StoreFormatError",
    "StoreInfo",
    "StoreNotFoundError",
    "Stretch",
    "Suggestion",
    "Vector",
    "Verification",
    "list_stores",
    "read",
    "remove_store",
    "rename_store",
]
__version__ = "0.1.0"

_HOMES = {
    "Added": "results",
    "Answer": "results",
    "Cancel": "runtime.cancel",
    "Check": "answer.check",
    "Example": "example",
    "FileExamples": "cli.formats.examples",
    "Held": "results",
    "Keyring": "access.passphrases",
    "Memory": "memory",
    "Merged": "results",
    "Near": "results",
    "Options": "answer.options",
    "Receipt": "results",
    "Reencoded": "results",
    "Renamed": "results",
    "Replaced": "results",
    "Reply": "answer.reply",
    "Report": "results",
    "StoreInfo": "access.stores",
    "Stretch": "store.keys",
    "Suggestion": "results",
    "Vector": "encode.vector",
    "Verification": "store.findings",
    "list_stores": "access.stores",
    "read": "cli.formats.examples",
    "remove_store": "access.stores",
    "rename_store": "access.stores",
}
"""Where the names are that need numpy or more: each is loaded when it is first asked for, so that `edge-icl
--version` and the like do not wait for it."""


__getattr__ = late.names(__name__, _HOMES)


def __dir__() -> list[str]:
    """Return what `from edge_icl import *` gives, also before it is loaded."""
    return sorted({*globals(), *__all__})
