"""NaN and infinity never leave the models: what meets one raises an error, and nothing is kept."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny
from faulty import Faulty
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from edge_icl import Memory
from edge_icl.answer.judging import _ranked
from edge_icl.answer.options import Options
from edge_icl.cli.output import Output
from edge_icl.encode.encoder import Encoder
from edge_icl.encode.settings import EncoderSettings, Network
from edge_icl.errors import ModelComputationError, ModelFileError
from edge_icl.llm import native
from edge_icl.models import checked, convert, location
from edge_icl.models.importing import import_model

WAYS = {
    "labels": Options(),
    "the model alone": Options(prior=False),
    "text": Options(labels="off"),
    "a grammar": Options(grammar='root ::= "taxi"'),
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of two labels, with small models that have been checked."""
    import_model("small", tiny.bert(tmp_path / "bert"))
    (tmp_path / "tiny.gguf").write_bytes(tiny.llama())
    import_model("tiny", tmp_path / "tiny.gguf")
    checked.settle(location.find_llm("tiny"))
    path = tmp_path / "store"
    with Memory.create(path, encoder="small") as memory:
        memory.add("taxi to the airport", "travel")
        memory.add("a cat sat", "pets")
    return path


@pytest.mark.parametrize("way", WAYS)
def test_logits_that_are_not_finite_are_an_error_and_no_state_of_them_is_kept(
    store: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    monkeypatch.setattr(native._llama, "_module", Faulty(native.llama(), "nan"))

    with (
        Memory.open(store, model="tiny") as memory,
        pytest.raises(ModelComputationError, match=r"not finite numbers.*edge-icl doctor"),
    ):
        memory.ask("a taxi", WAYS[way])

    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


@given(st.lists(st.floats(), min_size=1, max_size=5))
def test_probabilities_of_labels_are_finite_or_an_error(logs: list[float]) -> None:
    labels = list(map(str, range(len(logs))))
    if np.isfinite(logs).all():
        with np.errstate(over="ignore"):
            assert _ranked(labels, np.minimum(logs, 0)).keys() == set(labels)
    else:
        with pytest.raises(ModelComputationError):
            _ranked(labels, np.array(logs))


def silent_norms(folder: Path, value: float) -> Path:
    """Have an encoder's last normalisation give `value` whatever comes."""
    weights = load_file(folder / "model.safetensors")
    for part in ("weight", "bias"):
        name = f"encoder.layer.{tiny.LAYERS - 1}.output.LayerNorm.{part}"
        weights[name] = np.full_like(weights[name], value if part == "bias" else 0)
    save_file(weights, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("value", [0.0, 3e38])
def test_an_encoder_that_gives_no_finite_vectors_is_refused_at_import_and_at_use(
    tmp_path: Path, value: float
) -> None:
    folder = silent_norms(tiny.bert(tmp_path / "bert"), value)
    with pytest.raises(ModelFileError, match="not finite numbers"):
        import_model("mine", folder)
    assert location.installed() == ()

    (tmp_path / "model.onnx").write_bytes(convert.convert(folder))
    settings = EncoderSettings(tiny.DIMENSION, 100, 40)
    encoder = Encoder([Network(tmp_path / "model.onnx", folder / "tokenizer.json", settings)])
    with pytest.raises(ModelFileError, match="not finite numbers"):
        encoder.encode(["a taxi"])


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_json_output_is_strict(number: float, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Output().document({"a": number})
    assert capsys.readouterr().out == ""
    Output().document({"a": 0.5})
    assert json.loads(capsys.readouterr().out) == {"a": 0.5}
