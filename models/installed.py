"""What is known of a model on this machine, once it has been found: see `location`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from edge_icl.encode.settings import Network

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.encode.settings import EncoderSettings
    from edge_icl.models.record import Record

GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class InstalledLlm:
    """An LLM on this machine.

    Attributes:
        name: what it is called here.
        path: its GGUF file, or the first of several.
        digest: the file's SHA-256, hex; for several files a SHA-256 over theirs.
        recorded: whether the digest is that of a record beside it, not one that was computed now.
    """

    name: str
    path: Path
    digest: str
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class InstalledEncoder:
    """An encoder on this machine, as a store uses it.

    Attributes:
        name: what it is called here.
        folder: holds its files.
        record: what was written down when it was installed.
        settings: what its vectors depend on besides its files. A store made now reads all windows of long
            texts, whatever the record says.
        languages: codes such as "de" of those that it reads well; () where that is not known.
    """

    name: str
    folder: Path
    record: Record
    settings: EncoderSettings
    languages: tuple[str, ...]

    @property
    def digest(self) -> str:
        """One SHA-256, hex, over its files and the settings."""
        return self.record.encoder_digest(self.settings)

    @property
    def likeness(self) -> float:
        """From which similarity on two inputs say nearly the same."""
        return self.record.likeness

    @property
    def networks(self) -> tuple[Network, ...]:
        """Its network, or those that are side by side, in the order of their vectors."""
        parts = self.settings.parts or (self.settings,)
        files = network_files(len(parts))
        return tuple(
            Network(self.folder / graph, self.folder / tokenizer, settings)
            for (graph, tokenizer), settings in zip(files, parts, strict=True)
        )

    def used_as(self, digest: str) -> Self | None:
        """Return the encoder as the stores use it that name it by this digest, None where it is another one.

        The first stores were made when one window of a text was read, which is what their digest says.
        """
        recorded = self.record.encoder
        ways = (self.settings,) if recorded is None else (self.settings, recorded)
        found = (replace(self, settings=settings) for settings in ways)
        return next((one for one in found if one.digest == digest), None)


Installed = InstalledLlm | InstalledEncoder


def network_files(networks: int) -> list[tuple[str, str]]:
    """Return the names of the graph and of the tokenizer of each of so many networks."""
    if networks == 1:
        return [(GRAPH, TOKENIZER)]
    return [(f"model-{number}.onnx", f"tokenizer-{number}.json") for number in range(1, networks + 1)]
