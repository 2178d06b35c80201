"""Files from the Hugging Face hub. With `wheel`, the only code of this project that opens a connection.

huggingface_hub finds the file, signs in, and knows the user's endpoint, proxy and certificates; the bytes are
read here. Its own `hf_hub_download` (2.4) asks an unreachable hub for 23 seconds before it gives up, and
throws a partial file away on interruption. Here one question with a short timeout decides whether the hub is
there, and a download goes on where it stopped.
"""

from __future__ import annotations

import os
import re
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge_icl.errors import FetchError
from edge_icl.models import install, record

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from edge_icl.models.entry import HubSource, SourceFile
    from edge_icl.runtime.progress import Progress

_PROBE_SECONDS = 5
_READ_SECONDS = 30
_CHUNK = 1 << 18
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PARTIAL_CONTENT = 206
_LARGEST = 1 << 40  # bytes of a file whose size is unknown
_SIGN_IN = (401, 403)


@dataclass(frozen=True, slots=True)
class _Remote:
    """A file as the hub describes it."""

    url: str
    etag: str
    size: int | None
    signed: bool


def download(source: HubSource, files: tuple[SourceFile, ...], folder: Path, progress: Progress) -> None:
    """Bring a model's files into `folder`, each checked; what is there already is not asked for again.

    Raises:
        FetchError: the hub is out of reach, refuses, or delivers something else.
        OSError: this machine's disk refused.
    """
    wanted = {file.name: file for file in files}
    for path, name in source.files.items():
        target = folder / name
        if _is_there(target, wanted[name], progress):
            continue
        remote = _describe(source, path)
        size = wanted[name].size if wanted[name].sha256 else None
        if size is not None and remote.size not in (None, size):
            raise FetchError(f"{name} has {remote.size} bytes there instead of {size}")
        remote = replace(remote, size=remote.size or size)
        # The part's name holds the content's, so that a part is never continued with another content.
        part = folder / f"{name}.{re.sub('[^0-9A-Za-z]', '', remote.etag)[:32]}.part"
        _complete(remote, part, f"fetch {name}", progress)
        # For a file without a known digest, the hub's own one at least rules out a damaged download.
        expected = wanted[name].sha256 or (remote.etag if _SHA256.fullmatch(remote.etag) else None)
        if expected and record.hash_file(part, progress=progress).sha256 != expected:
            part.unlink()
            raise FetchError(f"{name} has another digest than expected")
        part.replace(target)


def _is_there(target: Path, file: SourceFile, progress: Progress) -> bool:
    """Tell whether an earlier, interrupted fetch has left the whole file."""
    if file.sha256 is None or not target.exists():
        return False
    return record.hash_file(target, progress=progress).sha256 == file.sha256


def _describe(source: HubSource, path: str) -> _Remote:
    """Ask the hub for a file's size and digest: once, and not for long."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # read at the import: the hub need not know what else is here
    import huggingface_hub

    url = huggingface_hub.hf_hub_url(
        # read here, since huggingface_hub reads it when it is imported and never again
        source.repo,
        path,
        revision=source.revision,
        endpoint=os.environ.get("HF_ENDPOINT", "").rstrip("/") or None,
    )
    try:
        signed, found = _probe(url)
    except Exception as error:  # its HTTP library changes between releases, and so do the classes
        raise FetchError(_reason(error, url)) from error
    if not found.etag:
        raise FetchError(f"{url} is not served by a hub")
    return _Remote(url, found.etag, found.size, signed)


def _probe(url: str) -> tuple[bool, Any]:
    """Return whether the hub tells of a file only to those who sign in, and what it tells."""
    import huggingface_hub

    try:
        return False, huggingface_hub.get_hf_file_metadata(url, token=False, timeout=_PROBE_SECONDS)
    except Exception as error:
        response = getattr(error, "response", None)
        if getattr(response, "status_code", None) not in _SIGN_IN or not huggingface_hub.get_token():
            raise
    return True, huggingface_hub.get_hf_file_metadata(url, token=True, timeout=_PROBE_SECONDS)


def _complete(remote: _Remote, part: Path, stage: str, progress: Progress) -> None:
    """Read the rest of a file; a connection that breaks is taken up again while each brings something."""
    most = 0
    while (have := _size(part)) != remote.size:
        if remote.size is None or have > remote.size:
            part.unlink(missing_ok=True)  # nothing tells what is missing, so start over
            have = 0
        try:
            _read(remote, part, have, stage, progress)
        except FetchError:
            if (come := _size(part)) <= max(have, most):
                raise
            most = come
        else:
            break
    if remote.size not in (None, _size(part)):
        raise FetchError(f"{_size(part)} bytes came instead of {remote.size}")


def _size(part: Path) -> int:
    """Return how much of a file is here."""
    return part.stat().st_size if part.exists() else 0


def _read(remote: _Remote, part: Path, have: int, stage: str, progress: Progress) -> None:
    """Append what the server sends from byte `have` on; from the start where it knows no ranges."""
    total, most = remote.size or 0, _LARGEST if remote.size is None else remote.size
    with install.open_private(part, "ab") as file, closing(_body(remote, have)) as body:
        progress(stage, have, total)
        for at, chunk in body:
            if at == 0:
                file.truncate(0)
            if at + len(chunk) > most:
                raise FetchError(f"more than the {most} bytes came that were announced")
            file.write(chunk)
            progress(stage, at + len(chunk), total)


def _body(remote: _Remote, have: int) -> Generator[tuple[int, bytes]]:
    """Yield what the server sends, each piece with its position.

    As a generator it sees the network's errors alone: those of the disk and of the caller's callback are raised
    in the loop that it feeds, and must not pass for the hub's.
    """
    from huggingface_hub import get_session
    from huggingface_hub.utils import (  # type: ignore[attr-defined]  # it names them for importers, not for mypy
        build_hf_headers,
        hf_raise_for_status,
    )

    # The token goes to the hub alone: where it sends us on to another host, httpx leaves the header out.
    headers = {
        **build_hf_headers(library_name="edge-icl", token=remote.signed),
        "Accept-Encoding": "identity",
    }
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with get_session().stream("GET", remote.url, headers=headers, timeout=_READ_SECONDS) as response:
            hf_raise_for_status(response)
            at = have if response.status_code == _PARTIAL_CONTENT else 0
            for chunk in response.iter_bytes(_CHUNK):
                yield at, chunk
                at += len(chunk)
    except Exception as error:  # as in _describe
        raise FetchError(_reason(error, remote.url)) from error


def _reason(error: Exception, url: str) -> str:
    """Return why the hub did not deliver, in one line that names what was asked for."""
    text = (str(error).splitlines() or [""])[0].strip().rstrip(".") or type(error).__name__
    return text if url in text else f"{url}: {text}"
