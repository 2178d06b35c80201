"""What forgetting must know of an encoder is what its record says."""

from pathlib import Path

import pytest

from edge_icl.encode.settings import LIKENESS, EncoderSettings
from edge_icl.models.brief import Brief, brief
from edge_icl.models.record import FileDigest, Record

SETTINGS = EncoderSettings(dimension=32, scale=400, max_tokens=512)
FILES = {"model.onnx": FileDigest("00" * 32, 1)}


def write(home: Path, text: str) -> None:
    (home / "models" / "mine").mkdir(parents=True)
    (home / "models" / "mine" / "model.json").write_text(text)


@pytest.mark.parametrize(("likeness", "languages"), [(0.8, ("de", "th")), (LIKENESS, ())])
def test_it_is_what_the_record_says(own_home: Path, likeness: float, languages: tuple[str, ...]) -> None:
    record = Record("encoder", "MIT", "import", FILES, SETTINGS, likeness=likeness, languages=languages)
    write(own_home, record.to_json())

    assert brief("mine") == Brief(likeness, languages, 512)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"max_tokens": 0}', '{"max_tokens": 9, "likeness": 7}', "[" * 9999]
)
def test_of_a_damaged_record_the_defaults_are_taken(own_home: Path, text: str) -> None:
    write(own_home, text)

    assert brief("mine") == Brief() == Brief(LIKENESS)


def test_of_an_encoder_that_is_not_here_the_defaults_are_taken(own_home: Path) -> None:
    assert brief("mine") == brief("../mine") == brief("..") == Brief()
