"""One example: an input text, its output text, tags and a source.

The canonical bytes are what pages hold and what ids are made of, so two examples are the same exactly when
these bytes are. Empty tags and a missing source are left out: most examples have neither, and three quarters
of a small example would be punctuation.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

ID_BYTES = 16
"""Length of an id: BLAKE2b-128."""


@dataclass(frozen=True, slots=True)
class Example:
    """An input → output pair, normalised. Make one with `create`, which checks and normalises.

        >>> example = Example.create("Uber to the airport", "travel", tags=["2026"])
        >>> example.canonical().decode()
        '{"input":"Uber to the airport","output":"travel","tags":["2026"]}'

    Attributes:
        input: what the model will be shown.
        output: what it should answer.
        tags: sorted, each once.
        source: where the example came from, such as a file's name.
    """

    input: str
    output: str
    tags: tuple[str, ...] = ()
    source: str | None = None

    @classmethod
    def create(cls, input: str, output: str, *, tags: Iterable[str] = (), source: str | None = None) -> Example:
        """Check and normalise the texts (Unicode NFC).

        Raises:
            InputError: a text is empty, or holds NUL or a lone surrogate.
        """
        return cls(
            input=normalise(input, "input"),
            output=normalise(output, "output"),
            tags=tuple(sorted({normalise(tag, "tag") for tag in tags})),
            source=None if source is None else normalise(source, "source"),
        )

    def changed(
        self,
        *,
        input: str | None = None,
        output: str | None = None,
        tags: Iterable[str] | None = None,
        source: str | None = None,
    ) -> Example:
        """Return the example with other fields; what is None stays as it is.

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
        fields: dict[str, object] = {"input": self.input, "output": self.output}
        if self.source is not None:
            fields["source"] = self.source
        if self.tags:
            fields["tags"] = self.tags
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def from_canonical(cls, data: bytes) -> Example:
        """Read what `canonical` wrote; the digest of its page has vouched for the bytes.

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
        try:
            return [
                cls(fields["input"], fields["output"], tuple(fields.get("tags", ())), fields.get("source"))
                for fields in json.loads(f"[{b','.join(texts).decode()}]")
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an example") from error

    def id(self, seed: bytes) -> bytes:
        """Return the 16-byte id that this example has in stores with this seed (32 bytes)."""
        return hashlib.blake2b(self.canonical(), digest_size=ID_BYTES, key=seed).digest()


def normalise(text: str, what: str) -> str:
    """Return `text` in Unicode NFC; `what` names it in the error.

    Raises:
        InputError: the text is empty or only white space, or holds NUL or a lone surrogate.
    """
    if not isinstance(text, str):
        raise InputError(f"the {what} is {type(text).__name__}, not text", "give it as a string")
    if not text or text.isspace():
        raise InputError(f"the {what} is empty", f"give it some text or leave the {what} out")
    if "\0" in text:
        raise InputError(f"the {what} holds a NUL character", "remove it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"the {what} is not valid Unicode: {error.reason}", "save it as UTF-8 and try again"
        ) from None
    return unicodedata.normalize("NFC", text)
