"""Encoders side by side: `edge-icl models import NAME --join A B`.

    >>> join("both", ["all-minilm-l6-v2", "multilingual-e5-small"]).settings.dimension
    768

What one does not see the other may: measured in docs/results.md. The new encoder does not need those that it
was made of.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from edge_icl.encode.settings import EncoderSettings
from edge_icl.errors import InputError, ModelError
from edge_icl.models import catalogue, install, location, record
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.models.installed import InstalledEncoder

MOST = 4
"""Encoders side by side: each makes every question slower."""


def join(name: str, parts: Sequence[str], *, progress: Progress = silent) -> InstalledEncoder:
    """Install an encoder whose vectors are those of several installed ones, one after another.

    Args:
        name: what to call it here; no name of the catalogue.
        parts: names of encoders on this machine, two at least.
        progress: called while it is tried.

    Raises:
        InputError: these cannot be joined.
        ModelError: the name cannot be one or is taken, or the operating system refused a write.
        ModelMissingError: one of the encoders is not here.
        ModelFileError: one of them is damaged, or is an LLM.
    """
    install.refuse_taken(name)
    if catalogue.find(name):
        raise ModelError(f"{name} is in the catalogue", "take another name")
    if not 1 < len(parts) <= MOST or len(set(parts)) < len(parts):
        raise InputError(f"{', '.join(parts)} cannot be joined", f"name two to {MOST} different encoders")
    found = [location.find_encoder(part) for part in parts]
    for one in found:
        location.assure(one, progress=progress)
    networks = [network for one in found for network in one.networks]
    if len(networks) > MOST:
        raise InputError(f"these are {len(networks)} networks", f"join at most {MOST}")
    recorded = [part for one in found for part in _recorded(one)]
    with install.staging("import", name) as work:
        try:
            return install.install_networks(
                name,
                work,
                networks=networks,
                known=record.Record(
                    "encoder",
                    " and ".join(dict.fromkeys(one.record.licence for one in found)),
                    f"joined: {', '.join(parts)}",
                    {},
                    EncoderSettings.side_by_side(recorded),
                    languages=tuple(sorted({code for one in found for code in one.languages})),
                ),
            )
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _recorded(encoder: InstalledEncoder) -> tuple[EncoderSettings, ...]:
    """Return what an encoder's record says of each of its networks."""
    recorded = encoder.record.encoder
    return () if recorded is None else recorded.parts or (recorded,)
