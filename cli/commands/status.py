"""`edge-icl status`: what the store holds, and what this machine would answer with."""

from __future__ import annotations

import os
import shlex
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from edge_icl.access import signing
from edge_icl.cli import checks, machine, sight, tables
from edge_icl.cli.command import Command, examples
from edge_icl.cli.output import PROGRAM
from edge_icl.errors import ModelError, StoreDamagedError
from edge_icl.llm import build
from edge_icl.models import catalogue, checked, default, location
from edge_icl.results import Labelling
from edge_icl.runtime.folders import bytes_in
from edge_icl.runtime.home import STORE_VARIABLE, chosen_store, home

if TYPE_CHECKING:
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.models.checked import Fit
    from edge_icl.store.settings import Settings

MOST_LABELS = 8
"""Labels that are named; `edge-icl labels` lists all."""

SIZES = {"bytes": "of examples", "cache_bytes": "of cache", "free_bytes": "free on the disk"}


@click.command(cls=Command, epilog=examples("edge-icl status"))
@click.pass_obj
def status(session: Session) -> None:
    """Say what the store holds and where it is, which models answer, on what, and whether all is in order.

    The root is the fingerprint of the whole store: two stores with the same root are the same, byte for byte.
    In order means that the models are here, the folders are yours alone, and the disk has room; `edge-icl
    verify` reads every byte of the store, and `edge-icl doctor` looks over the machine.
    """
    with session.open() as memory:
        fit = _fit()
        fields = _status(memory, fit)
        fields |= _foreign(session, memory)
        left = memory.unfinished()
    fields["unfinished"] = None if left is None else {"files": list(left.names), "reason": left.reason}
    fields["problems"] = _problems(fields) + ([] if left is None else [str(left)])
    if session.output.json:
        session.output.document(fields)
    else:
        session.output.facts(_facts(session, fields, fit))


def _status(memory: Memory, fit: Fit | None) -> dict[str, Any]:
    """Return everything, as JSON has it."""
    from edge_icl.runtime.cores import usable_cores

    cache = memory.path / "cache"
    cached = bytes_in(cache)
    return {
        "path": str(memory.path),
        "stores": _stores(),
        "default_store": chosen_store(),
        "examples": len(memory),
        "shots": memory.settings.shots,
        "task": memory.settings.task or None,
        "labels_setting": memory.labels_setting,
        **_labelling(memory),
        "bytes": bytes_in(memory.path) - cached,
        "cache_bytes": cached,
        "encrypted": memory.encrypted,
        "root": memory.root,
        "encoder": memory.settings.encoder,
        "encoder_ready": _encoder_ready(memory.settings),
        **_model(),
        "llama_cpp": build.llama_version(),
        "backends": list(build.backends()),
        "gpu_layers": machine.gpu_layers(fit),
        "check": machine.as_json(fit),
        "threads": usable_cores(),
        "signing_key": signing.own_public(),
        "free_bytes": checks.free(),
    }


def _labelling(memory: Memory) -> dict[str, Any]:
    """Return what the outputs are taken to be; what damage keeps from being read is left to `verify`."""
    from edge_icl.answer.labels import decide

    try:
        outputs = memory.outputs()
        labelling = decide(outputs, memory.labels_setting)  # without reading every example again
    except StoreDamagedError:
        return {"labelling": None, "labels": None}
    return {"labelling": labelling.as_json(), "labels": outputs if labelling.labels else None}


def _foreign(session: Session, memory: Memory) -> dict[str, Any]:
    """Return how many inputs are in a language that the encoder does not read, and what to do if many are."""
    try:
        found = memory.foreign()
    except StoreDamagedError:
        return {"foreign": None, "advice": None}
    return {"foreign": found.as_json(), "advice": sight.advice(session, memory, found)}


def _outputs(session: Session, fields: dict[str, Any]) -> str:
    """Return what the outputs are taken to be, as a person reads it."""
    if fields["labelling"]:
        return str(Labelling(**fields["labelling"]))
    return f"damaged: see {session.command_line('verify')}"


def _labels(session: Session, labels: dict[str, int] | None) -> list[tuple[str, str]]:
    """Return the most frequent labels, with how many examples each has."""
    if not labels:
        return []
    shown = ", ".join(
        f"{tables.one_line(label)} {count:,}" for label, count in islice(labels.items(), MOST_LABELS)
    )
    left = len(labels) - MOST_LABELS
    more = f" and {left:,} more: {session.command_line('labels')}" if left > 0 else ""
    return [("labels", shown + more)]


def _facts(session: Session, fields: dict[str, Any], fit: Fit | None) -> list[tuple[str, str]]:
    """Return everything, as a person reads it."""
    device = machine.device(fit, threads=fields["threads"], layers=fields["gpu_layers"])
    llama = f"{fields['llama_cpp']}, for {', '.join(fields['backends'])}" if fields["llama_cpp"] else "missing"
    others = [name for name in fields["stores"] if not fields["path"].endswith(f"/{name}")]
    sizes = [f"{tables.size(fields[name])} {what}" for name, what in SIZES.items()]
    return [
        ("store", fields["path"]),
        *([("other stores", ", ".join(others))] if others else []),
        *([("default", f"{fields['default_store']}, named by ${STORE_VARIABLE}")] if _chosen() else []),
        ("examples", f"{fields['examples']:,}"),
        ("shots", f"{fields['shots']} examples in a prompt"),
        *([("task", fields["task"])] if fields["task"] else []),
        ("outputs", _outputs(session, fields)),
        *_labels(session, fields["labels"]),
        ("size", ", ".join(sizes)),
        ("encrypted", "yes" if fields["encrypted"] else "no"),
        ("root", fields["root"]),
        ("encoder", f"{fields['encoder']} ({_ready(fields['encoder'], ready=fields['encoder_ready'])})"),
        *([("languages", fields["advice"])] if fields["advice"] else []),
        ("model", f"{fields['model'] or 'not known'} ({_model_is(fields)})"),
        ("device", device),
        ("llama.cpp", llama),
        *([("signing key", fields["signing_key"])] if fields["signing_key"] else []),
        ("in order", _in_order(session, fields["problems"])),
    ]


def _problems(fields: dict[str, Any]) -> list[str]:
    """Return what is wrong, as far as that can be told at a glance."""
    ready = {"encoder": fields["encoder_ready"], "model": fields["model_ready"]}
    missing = [f"the {name} is not ready" for name, here in ready.items() if not here]
    if not fields["llama_cpp"]:
        missing.append("llama.cpp is missing")
    if fields["check"]["state"] == "failed":
        missing.append("llama.cpp computes the model wrongly on this machine")
    return missing + [check.detail for check in checks.at_a_glance() if check.level is checks.Level.PROBLEM]


def _in_order(session: Session, problems: list[str]) -> str:
    """Return whether all is well, and which command knows more."""
    return f"no: {'; '.join(problems)}; see {session.command_line('doctor')}" if problems else "yes"


def _chosen() -> bool:
    """Tell whether the environment says which store is used where none is named."""
    return bool(os.environ.get(STORE_VARIABLE))


def _stores() -> list[str]:
    """Return the names of all stores."""
    return [path.name for path in checks.folders_in(home() / "stores")]


def _ready(name: str, *, ready: bool) -> str:
    """Return whether a model can be used, and what to do if not."""
    return "ready" if ready else f"not ready: {shlex.join([PROGRAM, 'models', 'fetch', name])}"


def _encoder_ready(settings: Settings) -> bool:
    """Tell whether the very encoder that the store was made with is on this machine."""
    try:
        return location.find_used(settings.encoder, settings.encoder_digest) is not None
    except ModelError:
        return False


def _fit() -> Fit | None:
    """Return how the check of the default LLM came out, None where there was none yet."""
    try:
        return checked.known(location.find_llm())
    except ModelError:
        return None


def _model() -> dict[str, Any]:
    """Return the default LLM, what made it that, whether it is on this machine, and what to do if not."""
    try:
        chosen = default.chosen()
    except ModelError as error:
        return {"model": None, "model_by": None, "model_ready": False, "model_remedy": str(error)}
    fields: dict[str, Any] = {"model": chosen.name, "model_by": str(chosen.by)}
    try:
        location.find_llm()
    except ModelError as error:
        fetch = shlex.join([PROGRAM, "models", "fetch", chosen.name])
        remedy = error.hint if catalogue.find(chosen.name) is None else fetch
        return {**fields, "model_ready": False, "model_remedy": remedy}
    return {**fields, "model_ready": True, "model_remedy": None}


def _model_is(fields: dict[str, Any]) -> str:
    """Return whether the default LLM can be used, and what made it the default if the user did."""
    by = {"environment": f", named by ${default.VARIABLE}", "setting": ", your default"}.get(
        fields["model_by"], ""
    )
    return ("ready" if fields["model_ready"] else f"not ready: {fields['model_remedy']}") + by
