"""Small real models, made by hand: a GGUF of one tensor, one that llama.cpp computes, and a BERT encoder."""

import json
import struct
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *["a", "cat", "dog", "sat", "on", "the", "mat", "taxi", "to", "airport", "please", "pay", "my", "card"],
]
DIMENSION, HEADS, LAYERS, INNER, POSITIONS = 32, 4, 2, 64, 40


def text(value: str) -> bytes:
    """A GGUF string."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(*, version: int = 3, tensor_type: int = 0, weights: int = 64, tokens: int = 5) -> bytes:
    """A whole GGUF with a vocabulary and one tensor."""
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("tiny"),
        text("general.alignment") + struct.pack("<II", 4, 32),
        text("tiny.rope") + struct.pack("<If", 6, 1.5),
        text("tokens")
        + struct.pack("<IIQ", 9, 8, tokens)
        + b"".join(text(f"token {i}") for i in range(tokens)),
        text("scores") + struct.pack("<IIQ", 9, 6, 3) + bytes(12),
    ]
    tensor = text("weights") + struct.pack("<IQIQ", 1, weights, tensor_type, 0)
    header = b"GGUF" + struct.pack("<IQQ", version, 1, len(pairs)) + b"".join(pairs) + tensor
    return header + bytes(-len(header) % 32) + bytes(weights * 4)


TOKENS = [
    "<unk>",
    "<s>",
    "</s>",
    *(f"<0x{byte:02X}>" for byte in range(256)),
    "\u2581",
    "\u2581the",
    "e",
    "t",
]
"""The vocabulary of `llama`: bytes and a few words."""


def llama(*, seed: int = 0, context: int = 1024, more: dict[str, object] | None = None) -> bytes:
    """A GGUF that llama.cpp computes: one layer, random weights, and a vocabulary of bytes and a few words.

    Args:
        seed: of the weights.
        context: tokens that it was trained on.
        more: values of the header to add or to replace; None leaves one out.
    """
    width, inner, heads = 64, 96, 4
    pairs: dict[str, object] = {
        "general.architecture": "llama",
        "general.name": "Tiny",
        "llama.context_length": context,
        "llama.embedding_length": width,
        "llama.block_count": 1,
        "llama.feed_forward_length": inner,
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": width // heads,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.scores": [-float(i) for i in range(len(TOKENS))],
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, *[1] * (len(TOKENS) - 259)],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    rng = np.random.default_rng(seed)
    shapes = {f"blk.0.attn_{part}.weight": (width, width) for part in ("q", "k", "v", "output")}
    shapes |= {"blk.0.ffn_gate.weight": (inner, width), "blk.0.ffn_up.weight": (inner, width)}
    shapes |= {"blk.0.ffn_down.weight": (width, inner)}
    shapes |= {name: (len(TOKENS), width) for name in ("token_embd.weight", "output.weight")}
    tensors = {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()}
    tensors |= {
        name: np.ones(width, np.float32)
        for name in ("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight")
    }
    return container(
        {name: value for name, value in (pairs | (more or {})).items() if value is not None}, tensors
    )


def container(pairs: dict[str, object], tensors: dict[str, np.ndarray]) -> bytes:
    """A GGUF of these values and float32 tensors."""
    head, data = b"", b""
    for name, tensor in tensors.items():
        data += bytes(-len(data) % 32)
        sizes = struct.pack(f"<{tensor.ndim}Q", *tensor.shape[::-1])
        head += text(name) + struct.pack("<I", tensor.ndim) + sizes + struct.pack("<IQ", 0, len(data))
        data += tensor.tobytes()
    head = b"".join(text(name) + typed(value) for name, value in pairs.items()) + head
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + head
    return head + bytes(-len(head) % 32) + data


class Short(int):
    """A whole number of 16 bits."""


def typed(value: object) -> bytes:
    """A GGUF value behind its type: whole numbers as u32, or i32 in an array; fractions as f32."""
    if isinstance(value, Short):
        return struct.pack("<IH", 2, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    assert isinstance(value, list)
    kind, pack = {str: (8, text), int: (5, struct.Struct("<i").pack), float: (6, struct.Struct("<f").pack)}[
        type(value[0])
    ]
    return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(map(pack, value))


def bert(folder: Path, *, seed: int = 0, reads: Tokenizer | None = None, **more: object) -> Path:
    """Write an encoder in the sentence-transformers layout and return its folder.

    Args:
        folder: it is made.
        seed: of the weights.
        reads: its tokenizer; None for that of `WORDS`.
        more: values of its configuration.
    """
    reads = reads or tokenizer()
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {
        "embeddings.word_embeddings.weight": (reads.get_vocab_size(), DIMENSION),
        "embeddings.position_embeddings.weight": (POSITIONS, DIMENSION),
        "embeddings.token_type_embeddings.weight": (2, DIMENSION),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}"
        norms += [f"{prefix}.attention.output.LayerNorm", f"{prefix}.output.LayerNorm"]
        for part in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ):
            shapes |= {
                f"{prefix}.{part}.weight": (DIMENSION, DIMENSION),
                f"{prefix}.{part}.bias": (DIMENSION,),
            }
        shapes |= {f"{prefix}.intermediate.dense.weight": (INNER, DIMENSION)}
        shapes |= {f"{prefix}.intermediate.dense.bias": (INNER,)}
        shapes |= {
            f"{prefix}.output.dense.weight": (DIMENSION, INNER),
            f"{prefix}.output.dense.bias": (DIMENSION,),
        }
    shapes |= {f"{norm}.{part}": (DIMENSION,) for norm in norms for part in ("weight", "bias")}
    weights = {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    weights |= {f"{norm}.weight": weights[f"{norm}.weight"] + 1 for norm in norms}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config() | more))
    reads.save(str(folder / "tokenizer.json"))
    return folder


def config() -> dict[str, object]:
    """The encoder's shape, as config.json has it."""
    return {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": DIMENSION,
        "intermediate_size": INNER,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": POSITIONS,
    }


def tokenizer() -> Tokenizer:
    """A WordPiece tokenizer of a few words; like the real one's file, it says to pad and to cut at 128."""
    made = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_padding(length=30)
    made.enable_truncation(128)
    return made


def characters(known: str) -> Tokenizer:
    """A tokenizer of one token a character, laid out as XLM-R's: <s> before and </s> after a text."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", *sorted(set(known) - {"\u2581", " "})]
    made = Tokenizer(models.Unigram([(piece, -1.0 - i / 1000) for i, piece in enumerate(pieces)], unk_id=3))
    made.add_special_tokens(pieces[:4])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made
