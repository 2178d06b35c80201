"""Real weights for the tests of edge_icl.llm, loaded once: name this module in `pytest_plugins`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from own_core import own_core

from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
from edge_icl.models.location import find_llm

PREFIX = """Input: a warm and witty film .
Output: positive

Input: dull , flat and far too long .
Output: negative

Input: it never finds its feet , and nobody in it seems to care .
Output: negative

Input: a small miracle of a picture , tender from its first frame to its last .
Output: positive

Input:"""

QUESTION = " the best two hours that I have spent in a cinema this year .\nOutput:"


@pytest.fixture(scope="session")
def gguf(fetched_models: Path) -> Path:
    """The default model's file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
        return find_llm().path


@pytest.fixture(scope="session")
def loaded(gguf: Path) -> Iterator[Model]:
    """The default model: tests take `model`, whose window is empty."""
    with own_core():
        model = Model.load(gguf, identity="default", options=EngineOptions(context=2048))
    with model:
        yield model


@pytest.fixture(scope="session")
def small(gguf: Path) -> Iterator[Model]:
    """The default model with a window that is soon full."""
    with own_core():
        model = Model.load(gguf, identity="default", options=EngineOptions(context=256))
    with model:
        yield model


@pytest.fixture
def model(loaded: Model) -> Model:
    """The default model with an empty window."""
    loaded.window.purge()
    return loaded


@pytest.fixture
def prefixes(model: Model) -> Prefixes:
    """Prefixes that nothing has been asked of, without a disk."""
    return Prefixes(model)


@pytest.fixture(scope="session")
def prefix(loaded: Model) -> list[int]:
    """The tokens of four reviews."""
    return loaded.tokenize(PREFIX, start=True)


@pytest.fixture(scope="session")
def question(loaded: Model) -> list[int]:
    """The tokens of a fifth."""
    return loaded.tokenize(QUESTION)
