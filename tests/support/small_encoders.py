"""Two encoders of a few kilobytes, and both side by side: import the fixtures, and use `small_encoders`.

They know the words of `tiny.WORDS` and few others.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest import mock

import pytest
import tiny

from edge_icl.models.importing import import_model
from edge_icl.models.joining import join

FIRST, SECOND, JOINED = "first", "second", "joined"
NARROW = 16
"""Dimensions of the second one."""


@pytest.fixture(scope="session")
def imported_encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all, installed once."""
    folder = tmp_path_factory.mktemp("encoders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(folder / "home"))
        import_model(FIRST, tiny.bert(folder / FIRST))
        with mock.patch.object(tiny, "DIMENSION", NARROW):
            import_model(SECOND, tiny.bert(folder / SECOND, seed=1))
        join(JOINED, [FIRST, SECOND])
    return folder / "home" / "models"


@pytest.fixture
def small_encoders(imported_encoders: Path, own_home: Path) -> Path:
    """A home that has them, beside what it has already."""
    shutil.copytree(imported_encoders, own_home / "models", dirs_exist_ok=True)
    return own_home
