"""From a text to the tokens that a network reads: cut into windows, and how much of it is known.

>>> tokens = Tokens(Path("tokenizer.json"), EncoderSettings(384, 400, 256))
>>> tokens.windows("Taxi downtown")
[[101, 10095, 5116, 102]]
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_icl.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edge_icl.encode.settings import EncoderSettings

PERHAPS_DAMAGED = "use another encoder, or see whether this one is damaged: edge-icl models verify"
"""What helps where the file of an encoder cannot be used."""

_UNKNOWN = ("<unk>", "[UNK]")  # the names that it has where the tokenizer does not say
_SHORT_WORD = 100  # characters of a word: of a longer one BERT's tokenizers know nothing


class Reading(NamedTuple):
    """How much of a text the encoder reads.

    Attributes:
        known: whether its vocabulary has more than half of the tokens; texts of a foreign script, of which it
            knows nothing, all get much the same vector.
        cut: whether the text is longer than what it reads.
    """

    known: bool
    cut: bool


class Tokens:
    """A tokenizer as an encoder uses it; safe to use from several threads.

    Args:
        path: a `tokenizer.json`.
        settings: the encoder's. Texts are cut where they say, whatever the file says.

    Attributes:
        frame: how many tokens stand before and after a text.

    Raises:
        ModelFileError: the file is missing, damaged or not a tokenizer.
    """

    def __init__(self, path: Path, settings: EncoderSettings) -> None:
        self._path = path
        self._settings = settings
        self._tokenizer = _load(path)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(settings.max_tokens)
        self.frame = len(self._tokenizer.encode("").ids)
        self._plain: int | None = None

    def windows(self, text: str) -> list[list[int]]:
        """Return the tokens of each window of a text that is read.

        Raises:
            ModelFileError: the tokenizer fails.
        """
        with self._reading():
            first = self._tokenizer.encode(self._settings.instruction + text)
        if self._settings.windows == 1:
            return [first.ids]
        return [window.ids for window in self._read(first)]

    def readings(self, texts: Sequence[str]) -> list[Reading]:
        """Return how much of each text is read.

        Raises:
            ModelFileError: the tokenizer fails.
        """
        with self._reading():
            return self._readings(texts)

    def _readings(self, texts: Sequence[str]) -> list[Reading]:
        """Return how much of each text is read, as the tokenizer has it."""
        if self._plain is None:
            self._plain = self._plain_characters()
        plain = self._plain
        found = [Reading(known=True, cut=False)] * len(texts)
        looked = [
            i
            for i, text in enumerate(texts)
            if not (len(text) <= plain and text.isascii() and text.isprintable())
        ]
        unknown, before = self._unknown(), self._settings.instruction
        own = len(self._tokenizer.encode(before).ids) - self.frame
        encoded = self._tokenizer.encode_batch_fast([before + texts[i] for i in looked])
        for i, one in zip(looked, encoded, strict=True):
            windows = [window.ids for window in self._read(one)]
            tokens = sum(len(ids) - self.frame for ids in windows) - own
            missed = sum(ids.count(unknown) for ids in windows)
            found[i] = Reading(2 * missed < max(tokens, 1), len(one.overflowing) >= self._settings.windows)
        return found

    def last(self) -> int:
        """Return the largest token that there is."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=0)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Raise what the tokenizer raises as a `ModelFileError`."""
        try:
            yield
        except BaseException as error:  # a panic of a Rust library is not an Exception
            if not _is_theirs(error):
                raise
            raise ModelFileError(
                f"{self._path} cannot read a text: {first_line(error)}", PERHAPS_DAMAGED
            ) from error

    def _read(self, encoded: Any) -> list[Any]:
        """Return the windows of a text that are read."""
        return [encoded, *encoded.overflowing[: self._settings.windows - 1]]

    def _unknown(self) -> int | None:
        """Return the token that stands for what the vocabulary does not have, None where there is none."""
        own = getattr(self._tokenizer.model, "unk_token", None)
        names = _UNKNOWN if own is None else (own,)
        found = (self._tokenizer.token_to_id(name) for name in names)
        return next((token for token in found if token is not None), None)

    def _plain_characters(self) -> int:
        """Return up to how many characters an ASCII text needs no look: it is known and not cut."""
        characters = [chr(code) for code in range(33, 127)]
        # Where each printable character is a token, at the beginning of a word and within, every word can be
        # cut into its characters.
        tried = [*characters, *(f"a{character}" for character in characters)]
        unknown = self._unknown()
        if any(unknown in encoded.ids for encoded in self._tokenizer.encode_batch_fast(tried)):
            return 0
        free = self._settings.max_tokens - len(self._tokenizer.encode(self._settings.instruction).ids)
        return min(_SHORT_WORD, free)


def _load(path: Path) -> Any:
    """Read a tokenizer's file."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}", PERHAPS_DAMAGED) from error
    except BaseException as error:  # as in _reading
        if not _is_theirs(error):
            raise
        raise ModelFileError(f"{path} is not a tokenizer: {first_line(error)}", PERHAPS_DAMAGED) from error


def _is_theirs(error: BaseException) -> bool:
    """Tell whether the tokenizers package has raised this: bare exceptions, and panics."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def first_line(error: BaseException) -> str:
    """Return a library's message without what follows its first line."""
    return (str(error).splitlines() or [type(error).__name__])[0]
