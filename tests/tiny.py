"""Small real models, made by hand: a GGUF of one tensor, and a two-layer BERT encoder with its tokenizer."""

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


def bert(folder: Path, *, seed: int = 0) -> Path:
    """Write an encoder in the sentence-transformers layout and return its folder."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), DIMENSION),
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
    (folder / "config.json").write_text(json.dumps(config()))
    tokenizer().save(str(folder / "tokenizer.json"))
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
