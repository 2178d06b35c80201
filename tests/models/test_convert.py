"""The conversion: right numbers, equal bytes, and a clear refusal of what it does not know."""

import json
import os
import subprocess
import sys
from math import erf, sqrt
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from edge_icl.encode.encoder import Encoder
from edge_icl.errors import ModelFileError
from edge_icl.models import location
from edge_icl.models.convert import convert, quantize


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.bert(tmp_path_factory.mktemp("bert"))


def run(graph: bytes, ids: list[int]) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"input_ids": np.array([ids], np.int64)})[0]


def reference(folder: Path, ids: list[int]) -> np.ndarray:
    """The encoder as the BERT paper has it, in float64, one head after another."""
    weights = {
        name: tensor.astype(np.float64) for name, tensor in load_file(folder / "model.safetensors").items()
    }

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    size = tiny.DIMENSION // tiny.HEADS
    for layer in range(tiny.LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (linear(x, f"{name}.attention.self.{part}") for part in ("query", "key", "value"))
        heads = []
        for head in range(tiny.HEADS):
            at = slice(head * size, (head + 1) * size)
            scores = np.exp(query[:, at] @ key[:, at].T / sqrt(size))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, at])
        mixed = linear(np.concatenate(heads, axis=1), f"{name}.attention.output.dense")
        x = norm(x + mixed, f"{name}.attention.output.LayerNorm")
        inner = linear(x, f"{name}.intermediate.dense")
        inner = inner * 0.5 * (1 + np.vectorize(erf)(inner / sqrt(2)))
        x = norm(x + linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


IDS = [[2, 5, 3], [2, 7, 8, 9, 6, 11, 4, 3], [2, *range(4, 18), *range(4, 18), 3]]


@pytest.mark.parametrize("ids", IDS, ids=len)
def test_the_float_graph_computes_what_the_paper_says(folder: Path, ids: list[int]) -> None:
    assert np.abs(run(convert(folder, int8=False), ids) - reference(folder, ids)).max() < 1e-5


@pytest.mark.parametrize("ids", IDS, ids=len)
def test_the_int8_graph_is_near_it_and_of_length_one(folder: Path, ids: list[int]) -> None:
    vector = run(convert(folder), ids)

    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert vector @ reference(folder, ids) > 0.995


def test_equal_weights_give_equal_bytes_in_another_process_too(folder: Path, tmp_path: Path) -> None:
    graph = convert(folder)
    weights = load_file(folder / "model.safetensors")
    copy = tiny.bert(tmp_path / "copy", seed=7)
    save_file(dict(reversed(weights.items())), copy / "model.safetensors")  # the order in the file is nothing
    code = f"import sys; from pathlib import Path; from edge_icl.models.convert import convert\n\
sys.stdout.buffer.write(convert(Path({str(copy)!r})))"

    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "1"},
    )

    assert convert(folder) == graph
    assert other.stdout == graph


def test_the_graph_is_valid_onnx_of_standard_operators_only(folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(convert(folder))

    onnx.checker.check_model(model, full_check=True)

    assert {node.domain for node in model.graph.node} == {""}
    assert (model.ir_version, model.opset_import[0].version) == (9, 20)


@given(
    rows=st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3), min_size=1, max_size=6),
    limit=st.sampled_from([64, 127]),
    axis=st.sampled_from([0, 1]),
)
def test_quantization_is_off_by_half_a_step_at_most(rows: list[list[float]], limit: int, axis: int) -> None:
    weights = np.array(rows, np.float32)
    weights[np.abs(weights) < 1e-30] = 0  # denormals have no step to speak of

    integers, scales = quantize(weights, axis=axis, limit=limit)

    assert np.abs(integers.astype(int)).max() <= limit
    assert np.all(np.abs(integers * scales - weights) <= scales * 0.5001)


def test_no_two_products_leave_16_bits(folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(convert(folder))
    products = {node.input[1] for node in model.graph.node if node.op_type == "MatMulInteger"}
    largest = [
        np.abs(onnx.numpy_helper.to_array(constant).astype(int)).max()
        for constant in model.graph.initializer
        if constant.name in products
    ]

    assert len(largest) == 4 * tiny.LAYERS
    assert 2 * 255 * max(largest) < 1 << 15


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("config.json", None, r"config\.json cannot be read"),
        ("config.json", "{", r"config\.json cannot be read"),
        ("config.json", "[]", "is not what its name says"),
        ("config.json", {"hidden_size": None}, "not a BERT configuration"),
        ("config.json", {"model_type": "mpnet"}, "model_type 'mpnet'"),
        ("config.json", {"hidden_act": "relu"}, "hidden_act 'relu'"),
        ("config.json", {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ("config.json", {"num_attention_heads": 5}, "5 heads"),
        ("config.json", {"num_attention_heads": 0}, "0 heads"),
        ("config.json", {"num_hidden_layers": 3}, r"no tensor encoder\.layer\.2"),
        ("config.json", {"intermediate_size": 65}, "no tensor encoder"),
        ("model.safetensors", None, "not a safetensors file"),
        ("model.safetensors", "x", "not a safetensors file"),
    ],
)
def test_what_is_not_supported_is_refused_with_the_reason(
    tmp_path: Path, file: str, content: object, complaint: str
) -> None:
    path = tiny.bert(tmp_path / "bert") / file
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    if isinstance(content, dict):
        path.write_text(json.dumps(tiny.config() | content))
    elif content is not None:
        path.write_text(str(content))

    with pytest.raises(ModelFileError, match=complaint):
        convert(tmp_path / "bert")


def test_the_default_encoder_keeps_the_similarities_of_float32(models_home: Path) -> None:
    """These are the similarities that the model's authors publish."""
    assert models_home.exists()
    model = location.find_encoder()
    encoder = Encoder(model.networks)
    texts = [
        "That is a happy person",
        "That is a happy dog",
        "That is a very happy person",
        "Today is a sunny day",
    ]

    vectors = encoder.encode(texts).astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    assert vectors[1:] @ vectors[0] == pytest.approx([0.695, 0.943, 0.257], abs=0.05)
