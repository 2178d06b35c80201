"""`edge-icl status`: what the store holds, and what this machine would answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edge_icl.cli import machine, tables
from edge_icl.cli.session import Command, Session, examples
from edge_icl.errors import ModelError
from edge_icl.models import catalogue, location

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.memory import Memory
    from edge_icl.store.settings import Settings


@click.command(cls=Command, epilog=examples("edge-icl status"))
@click.pass_obj
def status(session: Session) -> None:
    """Say what the store holds, which models it needs, and what this machine's llama.cpp can use.

    The root is one string that names the whole content: two stores with the same root are the same, byte for
    byte.
    """
    with session.open() as memory:
        fields = _status(memory)
    if session.output.json:
        session.output.document(fields)
    else:
        session.output.facts(_facts(fields))


def _status(memory: Memory) -> dict[str, Any]:
    """Return everything, as JSON has it."""
    from edge_icl.llm.native import usable_cores  # noqa: PLC0415 - not for --help

    backends = machine.backends()
    cache = memory.path / "cache"
    cached = _bytes(cache)
    return {
        "path": str(memory.path),
        "examples": len(memory),
        "shots": memory.settings.shots,
        "task": memory.settings.task or None,
        "bytes": _bytes(memory.path) - cached,
        "cache_bytes": cached,
        "encrypted": memory.encrypted,
        "root": memory.root,
        "encoder": memory.settings.encoder,
        "encoder_ready": _encoder_ready(memory.settings),
        "model": catalogue.DEFAULT_LLM,
        "model_ready": _model_ready(),
        "llama_cpp": machine.llama_version(),
        "backends": list(backends),
        "gpu_layers": machine.gpu_layers(backends),
        "threads": usable_cores(),
    }


def _facts(fields: dict[str, Any]) -> list[tuple[str, str]]:
    """Return everything, as people read it."""
    gpu = "the whole model" if fields["gpu_layers"] else "nothing: this llama.cpp was built without one"
    llama = f"{fields['llama_cpp']}, for {', '.join(fields['backends'])}" if fields["llama_cpp"] else "missing"
    return [
        ("store", fields["path"]),
        ("examples", f"{fields['examples']:,}"),
        ("shots", f"{fields['shots']} examples in a prompt"),
        *([("task", fields["task"])] if fields["task"] else []),
        ("size", f"{tables.size(fields['bytes'])}, and {tables.size(fields['cache_bytes'])} of cache"),
        ("encrypted", "yes" if fields["encrypted"] else "no"),
        ("root", fields["root"]),
        ("encoder", f"{fields['encoder']} ({_ready(fields['encoder'], ready=fields['encoder_ready'])})"),
        ("model", f"{fields['model']} ({_ready(fields['model'], ready=fields['model_ready'])})"),
        ("llama.cpp", llama),
        ("on a GPU", gpu),
        ("threads", str(fields["threads"])),
    ]


def _ready(name: str, *, ready: bool) -> str:
    """Return whether a model can be used, and what to do if not."""
    return "ready" if ready else f"not ready: edge-icl models fetch {name}"


def _encoder_ready(settings: Settings) -> bool:
    """Tell whether the very encoder that the store was made with is on this machine."""
    try:
        return location.find_encoder(settings.encoder).digest == settings.encoder_digest
    except ModelError:
        return False


def _model_ready() -> bool:
    """Tell whether the default LLM is on this machine."""
    try:
        location.find_llm()
    except ModelError:
        return False
    return True


def _bytes(folder: Path) -> int:
    """Return the size of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
