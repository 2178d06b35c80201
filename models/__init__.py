"""Models on this machine: what can be fetched, what is here, and how it got here.

What a program needs is here: `edge_icl.models.fetch()`, `list_models`, `info`, `path`, `verify`,
`import_model`, `join`, `remove`, `default_llm` and `set_default_llm`; see `functions`.

May import: errors, runtime, encode, llm. Read in this order:

    entry      what the catalogue says of a model
    encoders, catalogue  the names that can be fetched
    regular    opens regular files, and nothing else that may have a file's name
    choices    what an encoder's folder may be told otherwise
    brief      what `forget` must know of an encoder
    record     what is written down of an installed model
    installed  a model that was found
    default    which LLM answers where none is named
    remedies   what helps where a model is missing or damaged
    exposed    which other users may change a model
    seen       whether the files are what the record says
    placed     a model in its folder, wherever that is
    header, sane, gguf   whether a file is a whole GGUF, with values that a model can have
    location   what is here
    common_texts, common_pairs   fixed texts, from which an encoder's centre, scale and threshold come
    bert, convert        from a network's weights to an ONNX graph in 8 bits
    layout     what a sentence-transformers folder says besides
    centring   the centre and the scale of an encoder's vectors
    near_copies          from which similarity on two inputs say nearly the same
    definition           what an encoder is to be: from its folder, the user and the catalogue
    install    from checked files to an installed model, in one rename
    requantized  from the delivered weights to those that are used
    checked    how a model is used on this machine: in a way that it computes rightly
    hub, wheel the only code that opens a connection
    fetching   from a name to an installed model: the only caller of these two
    importing  models that the user already has
    joining    encoders side by side
    functions  what a program may do with models
"""

from typing import TYPE_CHECKING

from edge_icl.runtime import late

if TYPE_CHECKING:
    from edge_icl.models.choices import Choices
    from edge_icl.models.functions import (
        FetchedModel,
        ModelInfo,
        default_llm,
        fetch,
        import_model,
        info,
        join,
        list_models,
        path,
        remove,
        set_default_llm,
        verify,
    )

__all__ = [
    "Choices",
    "FetchedModel",
    "ModelInfo",
    "default_llm",
    "fetch",
    "import_model",
    "info",
    "join",
    "list_models",
    "path",
    "remove",
    "set_default_llm",
    "verify",
]


# Loaded when they are first asked for: `forget` needs none of them.
__getattr__ = late.names(__name__, {**dict.fromkeys(__all__, "functions"), "Choices": "choices"})


def __dir__() -> list[str]:
    """Return also what is not loaded yet."""
    return sorted({*globals(), *__all__})
