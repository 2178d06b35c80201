"""The texts from which encoders are defined: the same for good."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata

import pytest

from edge_icl.models.common_pairs import DIFFERENT, NEAR_COPIES, Pair
from edge_icl.models.common_texts import COMMON_TEXTS

LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "tr", "ar", "hi", "th", "ja", "zh", "ko"]
SCRIPTS = {
    "ru": "[\u0430-\u044f]",
    "ar": "[\u0621-\u064a]",
    "hi": "[\u0900-\u097f]",
    "th": "[\u0e00-\u0e7f]",
    "ja": "[\u3040-\u30ff\u4e00-\u9fff]",
    "zh": "[\u4e00-\u9fff]",
    "ko": "[\uac00-\ud7a3]",
}
ALL = [(language, text) for language, texts in COMMON_TEXTS.items() for text in texts]
PAIRED = [(pair.language, text) for pair in (*NEAR_COPIES, *DIFFERENT) for text in (pair.one, pair.other)]


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()


def test_the_texts_of_centres_never_change() -> None:
    """Another text would be another centre, and so another encoder to every store."""
    assert (
        digest({language: list(texts) for language, texts in COMMON_TEXTS.items()})
        == "eee6a55ab0dddc19348899f5fb2a4b90159f4fee2bcb0b7a7b87e74ea23cf980"
    )


def test_the_pairs_of_thresholds_never_change() -> None:
    assert (
        digest([[list(pair) for pair in NEAR_COPIES], [list(pair) for pair in DIFFERENT]])
        == "4f98c76a0df35fa3fb825158881428b4f05f9c011281994ade496595dda17240"
    )


def test_there_are_sixteen_languages_and_most_texts_in_english() -> None:
    assert list(COMMON_TEXTS) == LANGUAGES
    assert {language: len(texts) for language, texts in COMMON_TEXTS.items()} == {
        language: 48 if language == "en" else 12 for language in LANGUAGES
    }


def test_a_program_cannot_change_them() -> None:
    with pytest.raises(TypeError):
        COMMON_TEXTS["en"] = ()  # type: ignore[index]


@pytest.mark.parametrize("pairs", [NEAR_COPIES, DIFFERENT])
def test_there_are_forty_pairs_in_all_languages(pairs: tuple[Pair, ...]) -> None:
    languages = [pair.language for pair in pairs]
    assert len(pairs) == 40
    assert languages.count("en") == 24
    assert set(languages) == set(LANGUAGES)
    assert all(pair.one != pair.other for pair in pairs)


def test_no_text_occurs_twice() -> None:
    texts = [text for _, text in (*ALL, *PAIRED)]
    assert len(set(texts)) == len(texts)


def test_no_two_texts_of_a_language_share_most_of_their_words() -> None:
    for language, texts in COMMON_TEXTS.items():
        words = [set(re.findall(r"\w{3,}", text.lower())) for text in texts]
        for i, one in enumerate(words):
            for other in words[:i]:
                assert len(one & other) <= len(one | other) / 3, (language, one & other)


def test_a_text_is_written_as_examples_are() -> None:
    """NFC, one line, no white space at the ends, in the script of its language."""
    for language, text in (*ALL, *PAIRED):
        assert text == unicodedata.normalize("NFC", text).strip()
        assert text.isprintable(), text
        assert 1 <= len(text.split()) <= 25, text
        assert re.search(SCRIPTS.get(language, "[A-Za-z]"), text), text
