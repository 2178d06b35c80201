"""What a store's encoder does not read, and the commands that give the store one that does."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.access.paths import locate
from edge_icl.cli import passphrases
from edge_icl.cli.session import Session
from edge_icl.cli.tables import counted
from edge_icl.errors import EdgeIclError, ModelError
from edge_icl.models import location
from edge_icl.models.installed import InstalledEncoder
from edge_icl.runtime.home import home
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from edge_icl.encode.languages import Foreign
    from edge_icl.encode.settings import EncoderSettings
    from edge_icl.memory import Memory

MULTILINGUAL = "multilingual-e5-small"
"""The encoder that reads a hundred languages."""

ENGLISH = ("en",)


def tell(session: Session, memory: Memory, *, unread: int, cut: int, of: int) -> None:
    """Tell how many of some inputs the encoder cannot read, or cuts; nothing where it reads all of them.

    Args:
        session: where it is told.
        memory: the store.
        unread: inputs in characters that the encoder does not know.
        cut: inputs that it cuts.
        of: how many there are.
    """
    encoder = memory.settings.encoder
    if unread:
        session.output.note(_with_better(session, memory, unknown(encoder, unread, of)))
    if cut:
        session.output.note(too_long(encoder, cut, of))


def unknown(encoder: str, unread: int, of: int) -> str:
    """Return that so many of some inputs are in characters that an encoder does not know, in a sentence."""
    what = f"in characters that the encoder {encoder} does not know: it cannot tell such texts apart"
    return f"{_are(unread, of)} {what}"


def too_long(encoder: str, cut: int, of: int) -> str:
    """Return that so many of some inputs are cut by an encoder, in a sentence."""
    return f"{_are(cut, of)} longer than the encoder {encoder} reads: what comes after makes no difference"


def tell_of(session: Session, memory: Memory, texts: Sequence[str], *, progress: Progress = silent) -> None:
    """Tell the same of texts, for which the encoder is loaded."""
    read = memory.readings(texts, progress=progress)
    unread, cut = sum(not one.known for one in read), sum(one.cut for one in read)
    tell(session, memory, unread=unread, cut=cut, of=len(texts))


def advice(session: Session, memory: Memory, found: Foreign) -> str | None:
    """Return which encoder a store should have, in a sentence with the commands; None where its own will do."""
    return _with_better(session, memory, detail(memory, found)) if found.mostly else None


def detail(memory: Memory, found: Foreign) -> str:
    """Return how many inputs are in a language that the encoder does not read."""
    english = memory.languages == ENGLISH
    which = "not in English, the language" if english else "in a language other than those"
    count = f"{found.foreign:,} of {counted(found.texts, 'input')}"
    return f"{count} looked at are {which} that the encoder {memory.settings.encoder} reads"


def change(session: Session, encoder: str, *, called: str | None = None) -> str:
    """Return the command that makes a store with another encoder, under a name that is not taken.

    Args:
        session: says which store it is made of.
        encoder: the other encoder.
        called: what is put behind the store's name; None for the encoder's.
    """
    new = f"{session.store.rstrip('/')}-{called or encoder}"
    names = itertools.chain([new], (f"{new}-{n}" for n in itertools.count(2)))
    free = next(name for name in names if not locate(name).exists())
    return session.command_line("reencode", "--encoder", encoder, "--into", free)


def others(memory: Memory) -> list[str]:
    """Return names of encoders on this machine that might be better than a store's; those side by side first.

    One that is a part of the store's own is not among them: together they see more.
    """
    own = memory.settings
    try:
        found = [one for one in location.installed() if isinstance(one, InstalledEncoder)]
    except ModelError:
        return []  # a record is damaged: another command tells so
    same = [one for one in found if one.used_as(own.encoder_digest) is not None]
    parts = {part for one in same for part in _parts(one)}
    might = [one for one in found if not _parts(one) <= parts]
    return [one.name for one in sorted(might, key=lambda one: -len(one.networks))]


def look(session: Session, paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yield of each store that should have another encoder what was seen of it, and the commands.

    Args:
        session: where a passphrase may be given; the user is not asked for one.
        paths: of the stores; others that cannot be opened are passed over.
    """
    from edge_icl.memory import Memory

    given = session.given or passphrases.variable()
    for path in paths:
        with suppress(EdgeIclError), Memory.open(path, create=False, passphrase=given) as memory:
            found = memory.foreign()
            if found.mostly:
                name = path.name if path.parent == home() / "stores" else str(path)
                yield f"{name}: {detail(memory, found)}", _better(Session(name), memory)


def _are(some: int, of: int) -> str:
    """Return the beginning of a sentence about some of the inputs."""
    return "the input is" if of == 1 else f"{some:,} of {of:,} inputs are"


def _parts(encoder: InstalledEncoder) -> set[tuple[str, EncoderSettings]]:
    """Return the weights of each of an encoder's networks, by their digest, and how they are used."""
    files = encoder.record.files
    return {(files[network.graph.name].sha256, network.settings) for network in encoder.networks}


def _with_better(session: Session, memory: Memory, told: str) -> str:
    """Return what is told, and the commands that give the store an encoder for more languages."""
    return "; ".join(filter(None, [told, _better(session, memory)]))


def _better(session: Session, memory: Memory) -> str:
    """Return the commands that give a store an encoder for more languages; "" where it has one."""
    if memory.languages not in {(), ENGLISH}:
        return ""
    made = change(session, MULTILINGUAL, called=MULTILINGUAL.partition("-")[0])
    return f"for other languages than English: {_fetched()}{made}"


def _fetched() -> str:
    """Return the command that fetches that encoder, and what follows it; "" where it is on this machine."""
    try:
        location.find_encoder(MULTILINGUAL)
    except ModelError:
        return f"edge-icl models fetch {MULTILINGUAL}, then "
    return ""
