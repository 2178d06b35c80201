"""Small models that llama.cpp really runs, made by hand: Llama, Gemma 3, Mamba, BERT, of ten thousand weights.

    llama(tmp_path / "short.gguf", context=128)
    gemma(tmp_path / "sliding.gguf", window=32)
    split(llama(tmp_path / "one.gguf"), parts=2)     # one-00001-of-00002.gguf and one-00002-of-00002.gguf

Their vocabulary is the 256 bytes and a space, so whatever is written can be read, if not understood.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Value = bool | int | float | str | np.uint16 | np.int32 | list[str] | list[float] | list[np.int32]
    Tensors = Mapping[str, NDArray[np.float32]]

WIDTH, HEADS, INNER = 32, 2, 64
UNKNOWN, CONTROL, NORMAL, BYTE = map(np.int32, (2, 3, 1, 6))
ALIGNMENT = 32


class Parts(NamedTuple):
    """What a GGUF holds."""

    metadata: dict[str, Value]
    tensors: Tensors


def llama(path: Path, *, context: int = 512, seed: int = 0, **more: Value) -> Path:
    """Write a Llama of one layer; `more` is metadata of its architecture, as `attention__causal=False`."""
    made = _decoder("llama", layers=1, context=context, seed=seed)
    return _write(path, made, more)


def gemma(path: Path, *, context: int = 512, window: int = 32, seed: int = 0, **more: Value) -> Path:
    """Write a Gemma 3 of six layers, five of which see `window` tokens."""
    made = _decoder("gemma3", layers=6, context=context, seed=seed)
    made.metadata.update({"gemma3.attention.sliding_window": window})
    return _write(path, made, more)


def mamba(path: Path, *, context: int = 512, seed: int = 0, **more: Value) -> Path:
    """Write a Mamba of one layer, a recurrent model."""
    weights = _Weights(seed)
    inner, state, rank, kernel = 2 * WIDTH, 4, 2, 4
    shapes = {
        "attn_norm.weight": (WIDTH,),
        "ssm_in.weight": (2 * inner, WIDTH),
        "ssm_conv1d.weight": (inner, kernel),
        "ssm_conv1d.bias": (inner,),
        "ssm_x.weight": (rank + 2 * state, inner),
        "ssm_dt.weight": (inner, rank),
        "ssm_dt.bias": (inner,),
        "ssm_a": (inner, state),
        "ssm_d": (inner,),
        "ssm_out.weight": (WIDTH, inner),
    }
    tensors = {"token_embd.weight": weights((4 + 256, WIDTH)), "output_norm.weight": 1 + weights((WIDTH,))}
    tensors |= {f"blk.0.{name}": weights(shape) for name, shape in shapes.items()}
    metadata = _common("mamba", layers=1, context=context) | _BYTES
    metadata |= {
        "mamba.ssm.conv_kernel": kernel,
        "mamba.ssm.inner_size": inner,
        "mamba.ssm.state_size": state,
        "mamba.ssm.time_step_rank": rank,
        "mamba.attention.layer_norm_rms_epsilon": 1e-6,
    }
    return _write(path, Parts(metadata, tensors), more)


def bert(path: Path, *, context: int = 512, seed: int = 0, **more: Value) -> Path:
    """Write a BERT of one layer, an encoder; no pooling is named unless `more` does."""
    weights = _Weights(seed)
    shapes = {"token_embd": (5 + 256, WIDTH), "position_embd": (context, WIDTH), "token_types": (2, WIDTH)}
    tensors = {f"{name}.weight": weights(shape) for name, shape in shapes.items()}
    square = ("attn_q", "attn_k", "attn_v", "attn_output")
    matrices = {**dict.fromkeys(square, (WIDTH, WIDTH)), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
    for name, shape in matrices.items():
        tensors[f"blk.0.{name}.weight"] = weights(shape)
        tensors[f"blk.0.{name}.bias"] = weights(shape[:1])
    for name in ("token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"):
        tensors[f"{name}.weight"] = 1 + weights((WIDTH,))
        tensors[f"{name}.bias"] = weights((WIDTH,))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"▁{chr(0x100 + byte)}" for byte in range(256))]
    metadata = _common("bert", layers=1, context=context) | {
        "bert.attention.layer_norm_epsilon": 1e-12,
        "bert.attention.causal": False,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [CONTROL] * 5 + [NORMAL] * 256,
    }
    return _write(path, Parts(metadata, tensors), more)


def split(path: Path, *, parts: int) -> list[Path]:
    """Cut a model made here into parts, as `gguf-split` does, and remove the whole."""
    made = _MADE.pop(path)
    names = list(made.tensors)
    per = -(-len(names) // parts)
    files = []
    for number in range(parts):
        place = path.with_name(f"{path.stem}-{number + 1:05d}-of-{parts:05d}.gguf")
        numbers: dict[str, Value] = {
            "split.no": np.uint16(number),
            "split.count": np.uint16(parts),
            "split.tensors.count": np.int32(len(names)),
        }
        here = {name: made.tensors[name] for name in names[number * per : (number + 1) * per]}
        place.write_bytes(encoded((made.metadata if number == 0 else {}) | numbers, here))
        files.append(place)
    path.unlink()
    return files


def encoded(metadata: Mapping[str, Value], tensors: Tensors) -> bytes:
    """Return the bytes of a GGUF."""
    pairs = b"".join(_text(key) + _value(value) for key, value in metadata.items())
    described, data = b"", b""
    for name, tensor in tensors.items():
        shape = tensor.shape[::-1]  # GGUF counts from the innermost dimension
        described += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += tensor.astype("<f4").tobytes()
        data += bytes(-len(data) % ALIGNMENT)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + pairs + described
    return header + bytes(-len(header) % ALIGNMENT) + data


_BYTES: dict[str, Value] = {
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"],
    "tokenizer.ggml.scores": [0.0] * 260,
    "tokenizer.ggml.token_type": [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, NORMAL],
    "tokenizer.ggml.add_space_prefix": False,
}
_MADE: dict[Path, Parts] = {}  # what `split` cuts


class _Weights:
    """Random weights, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def __call__(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        return self._rng.normal(0, 0.3, shape).astype(np.float32)


def _write(path: Path, made: Parts, more: Mapping[str, Value]) -> Path:
    """Write a model with more metadata of its architecture."""
    name = made.metadata["general.architecture"]
    made.metadata.update({f"{name}.{key.replace('__', '.')}": value for key, value in more.items()})
    path.write_bytes(encoded(made.metadata, made.tensors))
    _MADE[path] = made
    return path


def _decoder(name: str, *, layers: int, context: int, seed: int) -> Parts:
    """Return a decoder with a vocabulary of bytes, and the norms that Gemma has beside Llama's."""
    gemma = name == "gemma3"
    weights = _Weights(seed)
    tensors = {"token_embd.weight": weights((4 + 256, WIDTH)), "output_norm.weight": 1 + weights((WIDTH,))}
    head = WIDTH // HEADS
    for layer in range(layers):
        matrices = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (WIDTH, WIDTH))
        matrices |= {"ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
        norms = {"attn_norm": WIDTH, "ffn_norm": WIDTH}
        if gemma:
            norms |= {"attn_q_norm": head, "attn_k_norm": head}
            norms |= {"post_attention_norm": WIDTH, "post_ffw_norm": WIDTH}
        tensors |= {f"blk.{layer}.{part}.weight": weights(shape) for part, shape in matrices.items()}
        tensors |= {f"blk.{layer}.{part}.weight": 1 + weights((length,)) for part, length in norms.items()}
    metadata = _common(name, layers=layers, context=context) | {
        f"{name}.attention.layer_norm_rms_epsilon": 1e-6,
        f"{name}.attention.key_length": head,
        f"{name}.attention.value_length": head,
        f"{name}.rope.dimension_count": head,
    }
    return Parts(metadata | _BYTES, tensors)


def _common(name: str, *, layers: int, context: int) -> dict[str, Value]:
    """Return the metadata that every architecture has."""
    return {
        "general.architecture": name,
        "general.name": f"tiny {name}",
        f"{name}.context_length": context,
        f"{name}.embedding_length": WIDTH,
        f"{name}.block_count": layers,
        f"{name}.feed_forward_length": INNER,
        f"{name}.attention.head_count": HEADS,
        f"{name}.attention.head_count_kv": HEADS,
    }


def _text(value: str) -> bytes:
    """Return a GGUF string."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _value(value: Value) -> bytes:
    """Return a value of the metadata with its type."""
    if isinstance(value, list):
        kind, each = _value(value[0])[:4], b"".join(_value(one)[4:] for one in value)
        return struct.pack("<I", 9) + kind + struct.pack("<Q", len(value)) + each
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    kind, layout = _KINDS[type(value)]
    return struct.pack("<I", kind) + struct.pack(layout, value)


_KINDS = {bool: (7, "<?"), int: (4, "<I"), float: (6, "<f"), np.uint16: (2, "<H"), np.int32: (5, "<i")}
