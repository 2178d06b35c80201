"""The self-test of a model: what computes rightly passes, and each way to compute wrongly is seen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny
from faulty import Faulty

from edge_icl.errors import ModelComputationError
from edge_icl.llm import native
from edge_icl.llm.model import Model
from edge_icl.llm.selftest import NEAR, measure, selftest
from edge_icl.models.catalogue import DEFAULT_LLM, find, reference

pytest_plugins = ["llm_fixtures"]

SEEN = {
    "parts": "in parts got other logits than whole",
    "again": "the same question got other logits when it came again",
    "state": "other logits after a saved state",
    "anew": "other logits when all was evaluated again",
    "labels": "the labels of a question got other scores when it came again",
    "chance": " a token, where chance gives",
    "far": "away from the model's reference",
    "nan": "not finite numbers",
}

Load = Callable[..., Model]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """What loads a tiny model, with a llama.cpp that computes wrongly if a kind is given."""
    real, models = native.llama(), []

    def loading(kind: str = "", **values: int) -> Model:
        path = tmp_path / "tiny.gguf"
        path.write_bytes(tiny.llama(**values))
        monkeypatch.setattr(native._llama, "_module", Faulty(real, kind) if kind else real)
        models.append(Model.load(path, identity="tiny"))
        return models[-1]

    yield loading
    for model in models:
        model.close()


@pytest.mark.parametrize("context", [1024, 300, 256, 128, 64])
def test_what_computes_rightly_passes_whatever_its_context(load: Load, context: int) -> None:
    model = load(context=context)
    figures = measure(model)

    selftest(model)
    selftest(model, reference=figures)
    assert len(figures) > 40
    assert model.window.length() == 0


@pytest.mark.parametrize("kind", SEEN)
def test_each_way_to_compute_wrongly_is_seen(load: Load, kind: str) -> None:
    figures = measure(load())

    with pytest.raises(ModelComputationError, match=SEEN[kind]):
        selftest(load(kind), reference=figures)


def test_what_rounding_moves_passes_and_what_is_farther_does_not(load: Load) -> None:
    model = load()
    figures = np.array(measure(model))

    selftest(model, reference=figures + NEAR * 0.99)
    with pytest.raises(ModelComputationError, match=r"0\.4 away from the model's reference"):
        selftest(model, reference=figures - NEAR * 1.1)


def test_each_step_is_told_and_can_end_the_test(load: Load) -> None:
    model, told = load(), []
    selftest(model, progress=lambda *at: told.append(at))

    class EnoughError(Exception):
        pass

    def enough(*at: object) -> None:
        raise EnoughError

    assert told == [("check", done, 5) for done in range(6)]
    with pytest.raises(EnoughError):
        selftest(model, progress=enough)
    selftest(model)


def test_the_default_model_is_near_its_reference(gguf: Path) -> None:
    figures = find(DEFAULT_LLM).reference

    with Model.load(gguf, identity="default") as model:
        selftest(model, reference=figures)
        apart = np.array(measure(model)) - figures
    assert np.sqrt((apart**2).mean()) < NEAR / 2


def test_a_reference_goes_with_the_weights_and_not_with_the_name() -> None:
    entry = find(DEFAULT_LLM)

    assert reference(entry.files[0].sha256) == entry.reference
    assert reference("0" * 64) is None
