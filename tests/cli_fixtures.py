"""Homes with a store that has been taught a little: name this module in `pytest_plugins`."""

import shutil
from pathlib import Path

import pytest
from command import EXAMPLES, SEED

from edge_icl import Memory


@pytest.fixture(scope="session")
def taught_store(fetched_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with EXAMPLES; copy it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
        path = tmp_path_factory.mktemp("taught") / "store"
        with Memory.create(path, seed=SEED, shots=3) as memory:
            memory.add_many(EXAMPLES)
    return path


@pytest.fixture
def home(models_home: Path, taught_store: Path) -> Path:
    """A home with both models and, as its default store, a copy of the taught one."""
    shutil.copytree(taught_store, models_home / "stores" / "default")
    return models_home


@pytest.fixture
def bare_home(own_home: Path, taught_store: Path) -> Path:
    """A home with the taught store and no models: what needs none must work here."""
    shutil.copytree(taught_store, own_home / "stores" / "default")
    return own_home
