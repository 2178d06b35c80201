"""One example: an input text, its output text, tags and a source.

Pages hold the canonical bytes, and ids are made of them, so two examples are the same exactly when these bytes
are. Empty tags and a missing source are left out: most examples have neither, and three quarters of a small
example would be punctuation.
"""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, fields
from sys import intern
from typing import TYPE_CHECKING, Any, TypeVar

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

ID_BYTES = 16
"""Length of an id: BLAKE2b-128."""

_OR_NONE = {what: f", or leave the {what} out" for what in ("tag", "source", "task")}
"""What an example, or a store, need not have."""

_CREATE = "make it with Example.create, which normalises"

_UNGUESSED = int.from_bytes(os.urandom(4)) >> 2
_BETWEEN = f",{_UNGUESSED},".encode()
"""What separates texts that are read together: random, so that no text was written to hold it."""

_CODE = b"\\u"
"""How JSON writes a character by its number: the only way in which it can hold NUL or half a character."""


@dataclass(frozen=True, slots=True)
class Example:
    """An input → output pair, normalised. Make one with `create`, which normalises the texts.

        >>> example = Example.create("Uber to the airport", "travel", tags=["2026"])
        >>> example.canonical().decode()
        '{"input":"Uber to the airport","output":"travel","tags":["2026"]}'

    Attributes:
        input: what the model will be shown.
        output: what it should answer.
        tags: sorted, each once.
        source: where the example came from, such as a file's name.

    Raises:
        InputError: it was made without `create`, of what is not normalised or is not text.
    """

    input: str
    output: str
    tags: tuple[str, ...] = ()
    source: str | None = None

    def __post_init__(self) -> None:
        """Refuse what a store must not hold."""
        if not isinstance(self.tags, tuple):
            raise InputError(f"the tags are {type(self.tags).__name__}, not a tuple", _CREATE)
        tags = tuple(_normal(tag, "tag") for tag in tuple.__iter__(self.tags))
        if list(tags) != sorted(set(tags)):
            raise InputError("the tags are not sorted, each once", _CREATE)
        _set_input(self, _normal(self.input, "input"))
        _set_output(self, _normal(self.output, "output"))
        _set_tags(self, tags)
        _set_source(self, None if self.source is None else _normal(self.source, "source"))

    def __reduce__(self) -> tuple[type[Example], tuple[object, ...]]:
        """Have an example that is unpickled or copied checked as one that is made."""
        return type(self), tuple(getattr(self, one.name) for one in fields(self))

    @classmethod
    def create(cls, input: str, output: str, *, tags: Iterable[str] = (), source: str | None = None) -> Example:
        """Check and normalise the texts (Unicode NFC).

        Raises:
            InputError: a text is empty, is not text, or holds NUL or a lone surrogate.
        """
        if isinstance(tags, str) or not isinstance(tags, Iterable):
            raise InputError(f"the tags are {type(tags).__name__}, not several texts", "give them as a list")
        return unchecked(
            normalise(input, "input"),
            normalise(output, "output"),
            tuple(sorted({normalise(tag, "tag") for tag in tags})),
            None if source is None else normalise(source, "source"),
        )

    def changed(
        self,
        *,
        input: str | None = None,
        output: str | None = None,
        tags: Iterable[str] | None = None,
        source: str | None = None,
    ) -> Example:
        """Return the example with other fields; a field that is None stays the same.

        Args:
            input: see `create`.
            output: see `create`.
            tags: instead of all that it has.
            source: see `create`; "" for none.

        Raises:
            InputError: a text is empty, or holds NUL or a lone surrogate.
        """
        kept = self.source if source is None else source
        return Example.create(
            self.input if input is None else input,
            self.output if output is None else output,
            tags=self.tags if tags is None else tags,
            source=None if kept == "" else kept,
        )

    def canonical(self) -> bytes:
        """Return the example as canonical JSON: sorted keys, no spaces, UTF-8, empty fields left out."""
        said: dict[str, object] = {"input": self.input, "output": self.output}
        if self.source is not None:
            said["source"] = self.source
        if self.tags:
            said["tags"] = self.tags
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def from_canonical(cls, data: bytes) -> Example:
        """Read what `canonical` wrote. Whether a text is normalised is not checked here: `verify` does that.

        Raises:
            ValueError: these are not the bytes of an example.
        """
        (example,) = cls.all_from_canonical([data])
        return example

    @classmethod
    def all_from_canonical(cls, texts: Iterable[bytes]) -> list[Example]:
        """Read many, in a third of the time that one after another takes.

        Raises:
            ValueError: these are not the bytes of examples.
        """
        texts = [*texts]
        joined, found = _parsed(texts, _read)
        if _CODE in joined:
            _refuse_codes(texts, found)
        return found

    @classmethod
    def outputs_from_canonical(cls, texts: Iterable[bytes]) -> list[str]:
        """Read the outputs alone, in half the time or less; equal ones are one object.

        Raises:
            ValueError: these are not the bytes of examples, as `all_from_canonical` would tell.
        """
        texts = [*texts]
        joined, found = _parsed(texts, _output)
        if _CODE in joined:
            found = [example.output for example in cls.all_from_canonical(texts)]
        return [*map(intern, found)]

    def id(self, seed: bytes) -> bytes:
        """Return the 16-byte id that this example has in stores with this seed (32 bytes)."""
        return id_of(self.canonical(), seed)


def id_of(canonical: bytes, seed: bytes) -> bytes:
    """Return the 16-byte id of an example, given its canonical JSON, in stores with this seed (32 bytes)."""
    return hashlib.blake2b(canonical, digest_size=ID_BYTES, key=seed).digest()


# Hundreds of thousands are read from pages; a frozen dataclass's own constructor takes half as long again.
_new, _set_input, _set_output, _set_tags, _set_source = (
    object.__new__,
    *(vars(Example)[field].__set__ for field in ("input", "output", "tags", "source")),
)


def unchecked(input: str, output: str, tags: tuple[str, ...], source: str | None) -> Example:
    """Return an example of texts that are known to be normalised."""
    example = _new(Example)
    _set_input(example, input)
    _set_output(example, output)
    _set_tags(example, tags)
    _set_source(example, source)
    return example


def _parsed(texts: Sequence[bytes], read: Callable[[dict[str, Any]], T]) -> tuple[bytes, list[T]]:
    """Return the canonical JSON of several examples in one piece, and what is read of each.

    Raises:
        ValueError: a text is not that of one example.
    """
    joined = _BETWEEN.join(texts)
    try:
        values = json.loads(f"[{joined.decode()}]")
        # Each separator is where it was put: so no text holds two examples, and no two hold one.
        if len(values) != max(2 * len(texts) - 1, 0) or values[1::2] != [_UNGUESSED] * (len(texts) - 1):
            raise ValueError("not an example")
        return joined, [read(said) for said in values[::2]]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not an example") from error


def _output(said: dict[str, Any]) -> str:
    """Return the output of an example, given its canonical JSON; raise as `_read` does."""
    input, output = said["input"], said["output"]
    if len(said) == len(("input", "output")) and type(input) is str and type(output) is str:
        return output
    return _read(said).output


def _read(said: dict[str, Any]) -> Example:
    """Return the example with the fields of its canonical JSON; raise TypeError if they are not texts."""
    input, output, tags, source = said["input"], said["output"], said.get("tags"), said.get("source")
    if type(input) is not str or type(output) is not str or (source is not None and type(source) is not str):
        raise TypeError
    if tags is None:
        return unchecked(input, output, (), source)
    if type(tags) is not list or {*map(type, tags)} - {str}:
        raise TypeError
    return unchecked(input, output, tuple(tags), source)


def _refuse_codes(texts: Iterable[bytes], found: Iterable[Example]) -> None:
    """Raise ValueError if a text writes a character by its number that no example has, or writes otherwise."""
    for text, example in zip(texts, found, strict=True):
        if _CODE in text:
            try:
                same = Example.create(example.input, example.output, tags=example.tags, source=example.source)
            except InputError as error:
                raise ValueError(error.message) from error
            if same.canonical() != text:
                raise ValueError("not in canonical form")


def normalise(text: str, what: str) -> str:
    """Return `text` in Unicode NFC; `what` names it in the error.

    Raises:
        InputError: the text is empty or only white space, or holds NUL or a lone surrogate.
    """
    if not isinstance(text, str):
        raise InputError(f"the {what} is {type(text).__name__}, not text", "give it as a string")
    text = str.__str__(text)  # of a subclass the text itself, whatever its methods say
    if not text or text.isspace():
        raise InputError(f"the {what} is empty", "give it some text" + _OR_NONE.get(what, ""))
    if "\0" in text:
        raise InputError(f"the {what} holds a NUL character", "remove it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"the {what} is not valid Unicode: {error.reason}", "save it as UTF-8 and try again"
        ) from None
    return unicodedata.normalize("NFC", text)


def _normal(text: str, what: str) -> str:
    """Return `text` as a plain string if it is normalised.

    Raises:
        InputError: it is not, or see `normalise`.
    """
    normal = normalise(text, what)
    if normal != str.__str__(text):
        raise InputError(f"the {what} is not in Unicode NFC", _CREATE)
    return normal


def folded(text: str) -> str:
    """Return a text in NFC with each run of white space as one space, and none around it."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def same_text(one: str, other: str) -> bool:
    """Tell whether a person would call two texts the same: in NFC, with white space folded."""
    return folded(one) == folded(other)
