"""What can go wrong, as a tree.

To catch everything, catch `EdgeIclError`. Each message is one sentence: what happened, to what, and (the hint)
what to do next. The command line prints it unchanged and exits with the class's code.

    EdgeIclError                 1
    ├── InputError               1   text, a field or a row that cannot be an example
    ├── ExampleNotFoundError     1   no example has this id
    ├── AmbiguousIdError         1   the ids of several examples begin with these digits
    ├── ConfirmationError        1   something would be removed and the user has not confirmed it
    ├── NotInstalledError        1   an optional package is needed and not installed
    ├── SignatureError           1   a receipt cannot be signed, or is not what was signed
    ├── AskCancelledError        1   a question was cancelled before its answer was complete
    ├── MachineDiffersError      1   this machine of a fleet computes otherwise than the first one
    ├── StoreError               1
    │   ├── StoreNotFoundError   1   nothing is there
    │   ├── NotAStoreError       1   something else is there
    │   ├── StoreExistsError     1   a store is there already
    │   ├── StoreFormatError     1   made by a newer edge-icl
    │   ├── StoreEmptyError      1   it holds no examples to answer from
    │   ├── StoreEncoderError    1   made with another encoder
    │   ├── PassphraseError      1   the store's passphrase is missing or wrong, or it has none
    │   ├── StoreChangedError    1   it has changed since it was looked at
    │   ├── StoreExposedError    1   another user owns it or may write to it
    │   ├── StoreBusyError       1   another writer holds the lock for too long
    │   ├── StoreAccessError     1   the operating system refused a read or a write: full disk, permissions
    │   ├── StoreClosedError     1   this handle has been closed
    │   └── StoreDamagedError    1   a file is not what the manifest says
    └── ModelError               1
        ├── ExamplesChangedError 1   the store has changed since a written answer began
        ├── ModelForkedError     1   loaded in the process that this one was forked from
        ├── ModelMissingError    1   not on this machine yet
        ├── ModelFileError       1   not a model, truncated, or not what its digest says
        ├── ModelComputationError 1  llama.cpp computes it wrongly on this machine
        └── FetchError           1   no source delivered it
"""

from __future__ import annotations


class EdgeIclError(Exception):
    """The base of every error that this package raises on purpose.

    Args:
        message: what happened, and to what: a clause in lower case without a full stop.
        hint: what to do next, in the same form; may be empty.
        committed: whether the change that was asked for is made all the same; the message says what of it is
            not. If false, nothing was changed.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "", *, committed: bool = False) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint
        self.committed = committed

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class InputError(EdgeIclError):
    """Text, a field or a row cannot be an example or a question."""


class ExampleNotFoundError(EdgeIclError):
    """No example in the store has this id."""


class AmbiguousIdError(EdgeIclError):
    """The ids of several examples begin with these digits."""


class ConfirmationError(EdgeIclError):
    """Something would be removed and the user has not confirmed it."""


class NotInstalledError(EdgeIclError):
    """An optional package is needed and not installed; the hint says how to install it."""


class SignatureError(EdgeIclError):
    """A receipt cannot be signed, or a signed one is not what was signed."""


class AskCancelledError(EdgeIclError):
    """A question was cancelled before its answer was complete."""


class MachineDiffersError(EdgeIclError):
    """This machine computes otherwise than the one on which the labelling of rows began."""


class StoreError(EdgeIclError):
    """A store cannot be opened, read or written."""


class StoreNotFoundError(StoreError):
    """There is no store at this path."""


class NotAStoreError(StoreError):
    """The path is a file, or a directory that is not a store."""


class StoreExistsError(StoreError):
    """A store is there already."""


class StoreFormatError(StoreError):
    """The store was made by a newer edge-icl."""


class StoreEmptyError(StoreError):
    """A question was asked of a store that holds no examples."""


class StoreEncoderError(StoreError):
    """The store was made with another encoder than the one at hand."""


class PassphraseError(StoreError):
    """The store is encrypted and its passphrase is missing or wrong, or it is not and one was given."""


class StoreChangedError(StoreError):
    """The store has changed since it was looked at, so that what was decided then may be wrong now."""


class StoreExposedError(StoreError):
    """Another user owns the store, or the folder that it is in, or may write to it."""


class StoreBusyError(StoreError):
    """Another process or thread held the store's lock until the timeout."""


class StoreAccessError(StoreError):
    """The operating system refused a read or a write; the hint says whether anything was changed."""


class StoreClosedError(StoreError):
    """This handle has been closed."""


class StoreDamagedError(StoreError):
    """A file of the store is missing or is not what the manifest says."""


class ModelError(EdgeIclError):
    """A model cannot be found, read or fetched."""


class ExamplesChangedError(ModelError):
    """Examples that the model has read for an answer were changed before the answer was complete."""


class ModelForkedError(ModelError):
    """The model belongs to the process that this one was forked from, and works only there."""


class ModelMissingError(ModelError):
    """The model is not on this machine yet."""


class ModelFileError(ModelError):
    """The file is not a model, is truncated, or is not what its digest says."""


class ModelComputationError(ModelError):
    """On this machine llama.cpp computes the model wrongly, with every setting that was tried."""


class FetchError(ModelError):
    """No source delivered the model."""
