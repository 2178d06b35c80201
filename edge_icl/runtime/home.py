"""The folder of this user's models and stores: apart, since every command needs it and few need a model."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return the folder: $EDGE_ICL_HOME, or the platform's own."""
    return Path(os.environ.get("EDGE_ICL_HOME") or _default()).expanduser().absolute()


def _default() -> str:
    """Return the folder that the platform gives to a program's data."""
    import platformdirs

    return platformdirs.user_data_dir("edge-icl")
