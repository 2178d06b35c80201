"""Write `data/transformers.json`: what the transformers library computes with the weights of `tiny.bert`.

    python tests/support/transformers_vectors.py       # needs torch and transformers, which no test does

Torch is a gigabyte, so the vectors are kept, not the library: the conversion is held against them.
"""

import json
import tempfile
from pathlib import Path

import tiny

IDS = [[0, 5, 2], [0, 7, 8, 9, 6, 11, 4, 2], [0, *range(4, 18), *range(4, 18), 2]]
NETWORKS: dict[str, dict[str, object]] = {
    "bert": {"model_type": "bert", "pad_token_id": 0},
    "xlm-roberta": {"model_type": "xlm-roberta", "pad_token_id": 1},
}


def case(name: str, config: dict[str, object], pooling: str) -> dict[str, object]:
    """Return the vectors of one network with one pooling."""
    import torch
    from transformers import AutoModel

    more = config | {"type_vocab_size": 2, "vocab_size": len(tiny.WORDS)}
    with tempfile.TemporaryDirectory() as place:
        model = AutoModel.from_pretrained(
            tiny.bert(Path(place) / "bert", **more), add_pooling_layer=False
        ).double()
    model.eval()
    vectors = []
    for ids in IDS:
        with torch.no_grad():
            state = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
        pooled = state[0] if pooling == "first" else state.mean(0)
        vectors.append((pooled / pooled.norm()).tolist())
    return {"name": f"{name}, {pooling}", "config": more, "pooling": pooling, "ids": IDS, "vectors": vectors}


if __name__ == "__main__":
    found = [case(name, how, pooling) for name, how in NETWORKS.items() for pooling in ("mean", "first")]
    text = json.dumps(found, indent=1)
    (Path(__file__).parents[1] / "data" / "transformers.json").write_text(text + "\n")
