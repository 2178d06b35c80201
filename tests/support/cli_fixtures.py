"""Homes with a store that has been taught a little: name this module in `pytest_plugins`."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from command import EXAMPLES, SEED
from stores import QUICK

from edge_icl import Memory


@pytest.fixture(scope="module")
def passphrase() -> str | None:
    """That of the taught store; None for a plain one. A test file may say otherwise."""
    return None


@pytest.fixture(scope="session")
def teach(fetched_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], Path]:
    """What returns a store with EXAMPLES for a passphrase, made once."""

    @cache
    def taught(passphrase: str | None) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
            path = tmp_path_factory.mktemp("taught") / "store"
            with Memory.create(path, seed=SEED, shots=3, passphrase=passphrase, stretch=QUICK) as memory:
                memory.add_many(EXAMPLES)
        return path

    return taught


@pytest.fixture(scope="module")
def taught_store(teach: Callable[[str | None], Path], passphrase: str | None) -> Path:
    """A store with EXAMPLES; copy it."""
    return teach(passphrase)


@pytest.fixture(autouse=True)
def known_passphrase(monkeypatch: pytest.MonkeyPatch, passphrase: str | None) -> None:
    """Let commands find the passphrase of the taught store."""
    if passphrase is not None:
        monkeypatch.setenv("EDGE_ICL_PASSPHRASE", passphrase)


@pytest.fixture
def home(models_home: Path, taught_store: Path) -> Path:
    """A home with both models and, as its default store, a copy of the taught one."""
    (models_home / "stores").mkdir(mode=0o700)  # as edge-icl makes it
    shutil.copytree(taught_store, models_home / "stores" / "default")
    return models_home


@pytest.fixture
def bare_home(own_home: Path, taught_store: Path) -> Path:
    """A home with the taught store and no models: what needs none must work here."""
    shutil.copytree(taught_store, own_home / "stores" / "default")
    return own_home
