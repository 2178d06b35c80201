"""The float32 graph of an encoder for padded batches, as others run it: our own has no mask."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HIDDEN = -1e9
"""Added to the score of a token that is only padding."""


def mask_nodes(inside: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return what makes penalties of scores, a mask of states and counts of tokens out of a mask."""
    for name, value in {"shown": 1, "hidden": HIDDEN}.items():
        inside.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))
    for name, axes in {"of_scores": [1, 2], "of_states": [2], "tokens": [1]}.items():
        inside.initializer.append(numpy_helper.from_array(np.array(axes, np.int64), name))
    return [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["shown", "mask"], ["padding"]),
        helper.make_node("Mul", ["padding", "hidden"], ["penalty"]),
        helper.make_node("Unsqueeze", ["penalty", "of_scores"], ["score_penalty"]),
        helper.make_node("Unsqueeze", ["mask", "of_states"], ["state_mask"]),
        helper.make_node("ReduceSum", ["mask", "tokens"], ["counts"]),
    ]


def masked(graph: bytes) -> bytes:
    """Return the float32 graph for padded batches: with a mask in the attention and in the mean."""
    model = onnx.load_from_string(graph)
    inside = model.graph
    nodes = mask_nodes(inside)
    for node in inside.node:
        if node.op_type == "Softmax":
            nodes.append(helper.make_node("Add", [node.input[0], "score_penalty"], [f"{node.name}_masked"]))
            node.input[0] = f"{node.name}_masked"
        elif node.op_type == "ReduceMean":
            nodes.append(helper.make_node("Mul", [node.input[0], "state_mask"], ["shown_states"]))
            nodes.append(helper.make_node("ReduceSum", ["shown_states", "tokens"], ["sums"], keepdims=0))
            nodes.append(helper.make_node("Div", ["sums", "counts"], node.output))
            continue
        elif node.op_type == "ReduceL2":
            node.input[1] = "tokens"
        nodes.append(node)
    del inside.node[:], inside.input[:], inside.output[:]
    inside.node.extend(nodes)
    shape = ["texts", "tokens"]
    inside.input.extend(
        helper.make_tensor_value_info(name, TensorProto.INT64, shape)
        for name in ("input_ids", "attention_mask")
    )
    inside.output.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", None]))
    return bytes(model.SerializeToString())
