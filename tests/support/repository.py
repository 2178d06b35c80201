"""Where things lie in a checkout."""

import os
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent
TESTS = SUPPORT.parent
DATA = TESTS / "data"
REPOSITORY = TESTS.parent
SHARED = REPOSITORY.parent / "shared"
"""Sets of examples that are not part of the project; what needs them is left out where they are not there."""


def with_support() -> dict[str, str]:
    """Return the environment of a test that is started as a program, which pytest does not tell of helpers."""
    paths = filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
