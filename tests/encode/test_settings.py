"""encode.settings: what a store knows its encoder by stays the same."""

import hashlib
from dataclasses import dataclass

import pytest

from edge_icl.encode.settings import EncoderSettings
from edge_icl.models.record import FileDigest, Record

NOW = EncoderSettings(384, 400, 256)
FILES = {"model.onnx": FileDigest("aa" * 32, 3), "tokenizer.json": FileDigest("bb" * 32, 4)}


@dataclass(frozen=True, slots=True)
class Later(EncoderSettings):
    """Settings as a later version may have them."""

    first_token: bool = False
    before: str = ""


def digest(settings: EncoderSettings) -> str:
    return Record("encoder", "MIT", "import", FILES, settings).encoder_digest(settings)


def test_the_digest_of_an_encoder_is_that_of_version_0_1_0() -> None:
    text = (
        f'{{"dimension":384,"files":{{"model.onnx":"{"aa" * 32}","tokenizer.json":"{"bb" * 32}"}},'
        '"max_tokens":256,"scale":400}'
    )

    assert digest(NOW) == hashlib.sha256(text.encode()).hexdigest()


def test_a_field_that_is_added_later_changes_no_digest_at_its_default() -> None:
    assert digest(Later(384, 400, 256)) == digest(NOW)
    assert digest(Later(384, 400, 256, first_token=True)) != digest(NOW)
    assert digest(Later(384, 400, 256, before="query: ")) != digest(NOW)


def test_settings_are_read_as_they_were_written() -> None:
    assert EncoderSettings.from_json(NOW.as_json() | {"kind": "encoder"}) == NOW
    assert NOW.as_json() == {"dimension": 384, "scale": 400, "max_tokens": 256}


@pytest.mark.parametrize("wrong", [0, -1, 1.0, True, "400", None])
def test_numbers_that_count_nothing_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="positive"):
        EncoderSettings.from_json(NOW.as_json() | {"scale": wrong})
