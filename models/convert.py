"""From a BERT encoder's weights to an ONNX graph in 8 bits: the same weights always give the same bytes.

    >>> graph = convert(Path("all-MiniLM-L6-v2"))      # 90 MB of float32 -> 23 MB
    input_ids int64 [1, tokens] -> embedding float32 [dimension], of length 1

One text goes in, so there is no mask: every token is real, and the mean over the tokens is the mean over the
mask. Where an encoder wants it, the first token stands for the text instead. The graph uses ONNX's own
operators only. onnxruntime fuses DynamicQuantizeLinear, MatMulInteger and what follows into its int8 kernels by
itself; writing its private operators (DynamicQuantizeMatMul, QAttention) out was tried, and was a quarter
slower. Query, key and value are one product.

Weights are symmetric, one scale a column, and use 7 of the 8 bits. Kernels for x86 without VNNI add two
products in 16 bits: 2 * 255 * 64 still fits, 2 * 255 * 127 would saturate and give other vectors on older
machines. The seventh bit costs 0.0014 of the mean cosine to float32 (0.9930 instead of 0.9944 on Banking77).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_icl.models import bert

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.encode.settings import Pooling

    Floats = NDArray[np.float32]

# Fixed, so that a newer onnx does not change the bytes; the oldest that have every operator used here.
_IR_VERSION = 9
_OPSET = 20
_PRODUCER = "edge-icl"
_PRODUCER_VERSION = "1"  # of the graph's layout: a change of it changes every store's encoder digest

_FIRST = {"start": 0, "end": 1, "axis": 1}  # of the tokens' states

_WEIGHT_MAX = 64
_TABLE_MAX = 127  # the embedding table is looked up, never multiplied in integers


def convert(folder: Path, *, pooling: Pooling = "mean", int8: bool = True) -> bytes:
    """Return the ONNX file of the encoder in `folder`.

    Args:
        folder: holds the network, see `bert`.
        pooling: how the tokens become one vector.
        int8: False keeps float32 weights, the yardstick for speed and accuracy.

    Raises:
        ModelFileError: a file is missing or damaged, or the network is of a kind that is not supported.
    """
    network = bert.load(folder)
    graph = _Graph(int8=int8)
    state = _embeddings(graph, network)
    for layer in range(network.layers):
        state = _block(graph, network, state, f"encoder.layer.{layer}")
    return graph.serialize(_pool(graph, state, pooling), network.dimension)


def quantize(weights: Floats, *, axis: int, limit: int) -> tuple[NDArray[np.int8], Floats]:
    """Return integers in [-limit, limit] and scales, so that their product is near the weights.

    Args:
        weights: a matrix.
        axis: the one that shares a scale: 0 for a scale a column, 1 for a scale a row.
        limit: the largest integer.
    """
    import numpy as np

    largest = np.abs(weights).max(axis=axis, keepdims=True)
    # A row of zeros (an unused token) may have any scale but zero.
    scales = np.where(largest > 0, largest / np.float32(limit), np.float32(1)).astype(np.float32)
    return np.rint(weights / scales).astype(np.int8), scales


@dataclass
class _Graph:
    """The graph so far. Names are numbered in the order of making: another source of equal bytes."""

    int8: bool
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, name: str, value: Any) -> str:
        """Add a constant and return its name."""
        import numpy as np
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(
        self, operator: str, *inputs: str, outputs: int = 1, attributes: dict[str, Any] | None = None
    ) -> list[str]:
        """Add a node and return the names of what it puts out."""
        from onnx import helper

        name = f"{operator}_{len(self.nodes)}"
        out = [f"{name}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, out, name=name, **(attributes or {})))
        return out

    def one(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        return self.add(operator, *inputs, attributes=attributes)[0]

    def shape(self, name: str, *sizes: int) -> str:
        """Add a constant of integers."""
        import numpy as np

        return self.constant(name, np.array(sizes, np.int64))

    def linear(self, state: str, name: str, weights: Floats, bias: Floats) -> str:
        """Multiply by a matrix [in, out] and add a bias."""
        if self.int8:
            product = self._integer_product(state, name, weights)
        else:
            product = self.one("MatMul", state, self.constant(f"{name}.weight", weights))
        return self.one("Add", product, self.constant(f"{name}.bias", bias))

    def _integer_product(self, state: str, name: str, weights: Floats) -> str:
        """Quantize the state with one scale, multiply in integers, and scale back."""
        integers, scales = quantize(weights, axis=0, limit=_WEIGHT_MAX)
        quantized, scale, zero = self.add("DynamicQuantizeLinear", state, outputs=3)
        product = self.one("MatMulInteger", quantized, self.constant(f"{name}.weight", integers), zero)
        combined = self.one("Mul", scale, self.constant(f"{name}.scale", scales[0]))
        return self.one("Mul", self.one("Cast", product, to=1), combined)  # 1: float32

    def norm(self, state: str, name: str, network: bert.Bert) -> str:
        """Normalise each token's state."""
        parts = [
            self.constant(f"{name}.{part}", network.weights[f"{name}.{part}"]) for part in ("weight", "bias")
        ]
        return self.one("LayerNormalization", state, *parts, axis=-1, epsilon=network.epsilon)

    def serialize(self, output: str, dimension: int) -> bytes:
        """Return the finished file."""
        from onnx import TensorProto, helper

        self.nodes.append(helper.make_node("Identity", [output], ["embedding"], name="embedding"))
        graph = helper.make_graph(
            self.nodes,
            "encoder",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [dimension])],
            self.constants,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name=_PRODUCER,
            producer_version=_PRODUCER_VERSION,
        )
        return bytes(model.SerializeToString(deterministic=True))


def _embeddings(graph: _Graph, network: bert.Bert) -> str:
    """Look up words and positions; every token is of type 0, so that row is added to the positions here."""
    words = network.weights["embeddings.word_embeddings.weight"]
    positions = network.weights["embeddings.position_embeddings.weight"]
    positions = positions[network.first :] + network.weights["embeddings.token_type_embeddings.weight"][0]
    if graph.int8:
        integers, scales = quantize(words, axis=1, limit=_TABLE_MAX)
        rows = graph.one("Gather", graph.constant("words", integers), "input_ids")
        factors = graph.one("Gather", graph.constant("words.scale", scales), "input_ids")
        state = graph.one("Mul", graph.one("Cast", rows, to=1), factors)
    else:
        state = graph.one("Gather", graph.constant("words", words), "input_ids")
    count = graph.one("Shape", "input_ids", start=1)
    start = graph.shape("first", 0)
    state = graph.one("Add", state, graph.one("Slice", graph.constant("positions", positions), start, count))
    return graph.norm(state, "embeddings.LayerNorm", network)


def _block(graph: _Graph, network: bert.Bert, state: str, name: str) -> str:
    """Attention, then the two-layer network, each with its shortcut and its normalisation."""
    weights = network.weights

    def linear(state: str, part: str) -> str:
        layer = f"{name}.{part}"
        return graph.linear(state, layer, weights[f"{layer}.weight"].T, weights[f"{layer}.bias"])

    mixed = linear(_attention(graph, network, state, name), "attention.output.dense")
    state = graph.norm(graph.one("Add", mixed, state), f"{name}.attention.output.LayerNorm", network)
    inner = graph.one("Gelu", linear(state, "intermediate.dense"))
    outer = linear(inner, "output.dense")
    return graph.norm(graph.one("Add", outer, state), f"{name}.output.LayerNorm", network)


def _attention(graph: _Graph, network: bert.Bert, state: str, name: str) -> str:
    """Every head's weighted mean of the values; query, key and value are one product."""
    import numpy as np

    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    matrix = np.concatenate([network.weights[f"{part}.weight"] for part in parts]).T
    bias = np.concatenate([network.weights[f"{part}.bias"] for part in parts])
    product = graph.linear(state, f"{name}.attention.self", matrix, bias)
    size = network.dimension // network.heads
    split = graph.shape(f"{name}.split", 0, 0, network.heads, size)
    columns = graph.add("Split", product, outputs=3, attributes={"axis": 2, "num_outputs": 3})
    heads = [graph.one("Reshape", column, split) for column in columns]
    query, value = (graph.one("Transpose", head, perm=[0, 2, 1, 3]) for head in (heads[0], heads[2]))
    key = graph.one("Transpose", heads[1], perm=[0, 2, 3, 1])
    factor = graph.constant(f"{name}.factor", np.float32(1 / np.sqrt(size)))
    scores = graph.one("Softmax", graph.one("Mul", graph.one("MatMul", query, key), factor), axis=-1)
    joined = graph.one("Transpose", graph.one("MatMul", scores, value), perm=[0, 2, 1, 3])
    return graph.one("Reshape", joined, graph.shape(f"{name}.join", 0, 0, network.dimension))


def _pool(graph: _Graph, state: str, pooling: Pooling) -> str:
    """Return the mean over the tokens, or the first token, divided by its length."""
    if pooling == "first":
        state = graph.one("Slice", state, *(graph.shape(f"first.{part}", at) for part, at in _FIRST.items()))
    mean = graph.one("ReduceMean", state, graph.shape("batch_and_tokens", 0, 1), keepdims=0)
    return graph.one("Div", mean, graph.one("ReduceL2", mean, graph.shape("components", 0), keepdims=1))
