"""GGUF files of a user who means harm: one sentence, and neither an abort nor a hang of this process."""

import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny
from alarm import no_hang

from edge_icl.errors import ModelError, ModelFileError
from edge_icl.llm import trial
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.models import checked, gguf, location
from edge_icl.models.importing import import_model

NAN, INFINITE = float("nan"), float("inf")
IMPOSSIBLE: dict[str, dict[str, object]] = {
    "no layers": {"llama.block_count": 0},
    "too many layers": {"llama.block_count": 1 << 31},
    "no heads": {"llama.attention.head_count": 0},
    "heads that do not divide": {"llama.attention.head_count": 3},
    "shared heads that do not divide": {"llama.attention.head_count_kv": 3},
    "too many heads": {"llama.attention.head_count": 1 << 30, "llama.embedding_length": 1 << 30},
    "no width": {"llama.embedding_length": 0},
    "too wide": {"llama.embedding_length": (1 << 32) - 1},
    "no context": {"llama.context_length": 0},
    "an absurd context": {"llama.context_length": (1 << 32) - 1},
    "an epsilon that is NaN": {"llama.attention.layer_norm_rms_epsilon": NAN},
    "an infinite epsilon": {"llama.attention.layer_norm_rms_epsilon": INFINITE},
    "a negative epsilon": {"llama.attention.layer_norm_rms_epsilon": -1.0},
    "a base that is NaN": {"llama.rope.freq_base": NAN},
    "a base of nothing": {"llama.rope.freq_base": 0.0},
    "an infinite scale": {"llama.rope.scaling.factor": INFINITE},
    "a score that is NaN": {"tokenizer.ggml.scores": [NAN] * 263},
    "an infinite score": {"tokenizer.ggml.scores": [0.0] * 262 + [INFINITE]},
    "too few scores": {"tokenizer.ggml.scores": [0.0] * 3},
    "too many kinds of token": {"tokenizer.ggml.token_type": [1] * 264},
    "a first token that is none": {"tokenizer.ggml.bos_token_id": 263},
    "a last token that is none": {"tokenizer.ggml.eos_token_id": 1 << 31},
    "a last token of minus one": {"tokenizer.ggml.eos_token_id": (1 << 32) - 1},
    "an end of turn that is none": {"tokenizer.ggml.eot_token_id": 99_999},
    "a padding token that is none": {"tokenizer.ggml.padding_token_id": 5000},
    "experts": {"llama.expert_count": 1 << 20},
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_values_that_no_model_has_are_refused_before_anything_is_loaded(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(tiny.llama(more=IMPOSSIBLE[name]))
    monkeypatch.setattr(trial, "guarded", lambda *_, **__: pytest.fail("it was loaded"))

    for use in (lambda: import_model("mine", path), lambda: location.find_llm(str(path))):
        with pytest.raises(ModelFileError) as refused:
            use()
        assert "\n" not in str(refused.value)
        assert refused.value.hint


def test_values_that_models_have_are_taken(tmp_path: Path, models_home: Path) -> None:
    usual = {"tokenizer.ggml.padding_token_id": (1 << 32) - 1, "llama.attention.sliding_window": 0}
    path = tmp_path / "good.gguf"
    path.write_bytes(tiny.llama(more=usual))

    gguf.check(path)
    gguf.check(location.find_llm().path)


@pytest.mark.parametrize("wrong", ["overlapping", "empty", "huge", "outside"])
def test_tensors_that_cannot_be_are_refused(tmp_path: Path, wrong: str) -> None:
    data = tiny.llama()
    name = tiny.text("blk.0.attn_k.weight")
    at = data.index(name) + len(name) + 4  # two sizes of 8 bytes, a kind of 4 and an offset of 8
    sizes, offset = struct.unpack_from("<2Q", data, at), struct.unpack_from("<Q", data, at + 20)[0]
    new = {
        "overlapping": (*sizes, 0),
        "empty": (0, 64, offset),
        "huge": (1 << 62, 1 << 62, offset),
        "outside": (*sizes, 1 << 40),
    }[wrong]
    path = tmp_path / "bad.gguf"
    path.write_bytes(
        data[:at]
        + struct.pack("<2Q", *new[:2])
        + data[at + 16 : at + 20]
        + struct.pack("<Q", new[2])
        + data[at + 28 :]
    )

    with pytest.raises(ModelFileError, match=r"overlap|empty|truncated"):
        gguf.check(path)


def hostile(choose: random.Random) -> bytes:
    """Return a GGUF with values and bytes that are wrong at random."""
    numbers = [0, 1, 2, 3, 5, 7, 63, 65, 127, 255, 256, 1000, 65_535, 1 << 20, 1 << 31, (1 << 32) - 1]
    names = ("context_length", "embedding_length", "block_count", "feed_forward_length", "rope.dimension_count")
    names += (
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.value_length",
    )
    names += ("attention.sliding_window", "expert_count", "expert_used_count", "vocab_size", "pooling_type")
    whole = [f"llama.{name}" for name in names]
    whole += [
        f"tokenizer.ggml.{name}_token_id" for name in ("bos", "eos", "eot", "unknown", "padding", "fim_pre")
    ]
    fractions = ("attention.layer_norm_rms_epsilon", "rope.freq_base", "rope.scaling.factor", "attention.scale")
    texts = ("general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.pre", "llama.rope.scaling.type")
    more: dict[str, object] = {}
    for _ in range(choose.randint(0, 3)):
        kind = choose.randrange(4)
        if kind == 0:
            more[choose.choice(whole)] = choose.choice(numbers)
        elif kind == 1:
            more[f"llama.{choose.choice(fractions)}"] = choose.choice([0.0, -1.0, 1e-38, 1e38, NAN, INFINITE])
        elif kind == 2:
            more[choose.choice(texts)] = choose.choice(
                ["", "x", "gpt2", "bert", "t5", "mamba", "yarn", "a" * 9999]
            )
        else:
            more[choose.choice([*whole, *texts])] = choose.choice([[1, 2], ["a"], [0.5], True, "7", 0.5])
    data = bytearray(tiny.llama(more=more))
    for _ in range(choose.choice([0, 0, 1, 3])):
        data[choose.randrange(min(len(data), 20_000))] = choose.randrange(256)
    if choose.random() < 0.2:
        del data[choose.randrange(len(data)) :]
    return bytes(data)


def test_hostile_files_are_one_sentence_or_compute_rightly(
    tmp_path: Path, campaign: bool, count: Callable[[str, int], None], capfd: pytest.CaptureFixture[str]
) -> None:
    tried, passed, loaded = 2_000 if campaign else 20, 0, 0
    path = tmp_path / "some.gguf"
    for seed in range(tried):
        path.write_bytes(hostile(random.Random(seed)))
        try:
            gguf.check(path)
            loaded += 1
            with no_hang():
                passed += checked.examine(path, EngineOptions(threads=1, context=512)).passed
        except ModelError as error:
            told = error
            assert "\n" not in str(told)
    assert 0 < passed < tried
    assert capfd.readouterr() == ("", "")
    count("hostile GGUFs", tried)
    count("hostile GGUFs that a child loaded", loaded)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no FIFOs in folders")
@pytest.mark.parametrize("kind", ["a FIFO", "a device", "a folder", "a link to a FIFO", "a link to itself"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "some.gguf"
    match kind:
        case "a FIFO":
            os.mkfifo(path)
        case "a device":
            path.symlink_to("/dev/zero")
        case "a folder":
            path.mkdir()
        case "a link to a FIFO":
            os.mkfifo(tmp_path / "fifo")
            path.symlink_to("fifo")
        case "a link to itself":
            path.symlink_to(path.name)

    for use in (lambda: import_model("mine", path), lambda: location.find_llm(str(path))):
        with no_hang(), pytest.raises(ModelError) as refused:
            use()
        assert "\n" not in str(refused.value)
    assert location.installed() == ()
