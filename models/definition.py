"""What an encoder that is imported or fetched is to be: read from its folder, where the user does not say it.

>>> define(folder, Choices(instruction="query: "))
EncoderSettings(dimension=384, scale=870, max_tokens=512, instruction='query: ', centre='hQQ7...')
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from edge_icl.encode.settings import LONGEST_INSTRUCTION, SPREAD, EncoderSettings
from edge_icl.errors import InputError
from edge_icl.models import bert, layout, record
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.models.choices import Choices
    from edge_icl.models.entry import Entry


def define(folder: Path, choices: Choices, *, progress: Progress = silent) -> EncoderSettings:
    """Return what the encoder's vectors depend on besides its files.

    Args:
        folder: in the sentence-transformers layout, with a `tokenizer.json`.
        choices: what is to be otherwise than it says.
        progress: called while the centre is computed.

    Raises:
        ModelFileError: a file is missing or damaged, or it is of a kind that is not supported.
        InputError: the instruction is too long, or holds what no text may.
    """
    found = layout.read(folder)
    instruction = found.instruction if choices.instruction is None else choices.instruction
    _check_instruction(instruction)
    dimension = bert.dimension(folder)
    settings = EncoderSettings(
        dimension,
        round(SPREAD * sqrt(dimension)),
        found.longest,
        pooling=choices.pooling or found.pooling or "mean",
        instruction=instruction,
    )
    return _measured(folder, settings, progress) if choices.centred else settings


def record_of(entry: Entry, folder: Path, source: str, *, progress: Progress = silent) -> record.Record:
    """Return the record, without the files, of an encoder of the catalogue.

    Args:
        entry: the encoder's.
        folder: holds its files.
        source: who delivered them.
        progress: called while the centre is computed.

    Raises:
        ModelFileError: a file is missing or damaged, or it is of a kind that is not supported.
    """
    settings = entry.encoder
    if settings is not None and entry.centred:
        settings = _measured(folder, settings, progress)
    return record.Record("encoder", entry.licence, source, {}, settings, languages=entry.languages)


def _measured(folder: Path, settings: EncoderSettings, progress: Progress) -> EncoderSettings:
    """Return the settings with the encoder's centre and its scale."""
    from edge_icl.models.centring import measure

    return measure(folder, settings, progress=progress)


def _check_instruction(text: str) -> None:
    """Refuse an instruction that is not a short text."""
    hint = "give the short text that the encoder's makers name"
    if len(text) > LONGEST_INSTRUCTION:
        raise InputError(f"the instruction has {len(text)} characters, more than {LONGEST_INSTRUCTION}", hint)
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError("the instruction holds NUL or half a character", hint)
