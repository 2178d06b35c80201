"""Whether texts are in a language that an encoder reads: few false alarms, and nothing overlooked."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import REPOSITORY, SHARED

from edge_icl.encode.languages import count, judge

ENGLISH = ("en",)
MANY = ("de", "en", "fr", "ru", "th")
STORES, ROWS = 100, 20
SETS = sorted((SHARED / "data").glob("**/train.jsonl"))
GERMAN = {"gender_inclusive_sentences_german"}
LANGUAGES = sorted((REPOSITORY / "benchmarks" / "languages").glob("*.jsonl"))


@pytest.mark.parametrize(
    "text",
    [
        "Wann kommt das Paket an?",
        "Le colis n'est pas arrivé",
        "¿Dónde está mi pedido?",
        "Il pacco non è arrivato",
        "O pacote ainda não chegou",
        "Waar is mijn pakket?",
        "Jag har inte fått min faktura",
        "Nie mogę się zalogować",
        "Kargo hâlâ gelmedi, ne zaman için bekleyelim",
        "Gói hàng của tôi không đến",
        "Посылка не пришла",
        "Πού είναι το δέμα;",
        "พัสดุยังไม่มา",
        "包裹还没到",
        "荷物が届きません",
        "الطرد لم يصل",
    ],
)
def test_texts_of_other_languages_are_told(text: str) -> None:
    assert judge(text, ENGLISH) is False


@pytest.mark.parametrize(
    "text",
    [
        "Where is my parcel?",
        "I paid the café in São Paulo",
        "Lunch with the team at Le Petit",
        "The \u6771\u4eac office",
    ],
)
def test_english_is_told_whatever_names_are_in_it(text: str) -> None:
    assert judge(text, ENGLISH) is True


@pytest.mark.parametrize(
    "text", ["refund", "Uber", "12.50", "\U0001f600", "Hotel Berlin", "card_arrival", "..."]
)
def test_of_a_text_that_says_nothing_of_its_language_nothing_is_said(text: str) -> None:
    assert judge(text, ENGLISH) is None


def test_an_encoder_for_more_languages_reads_them() -> None:
    texts = ["Wann kommt das Paket an?", "Le colis n'est pas arrivé", "พัสดุยังไม่มา", "Where is my parcel?"]

    assert count(texts, MANY).foreign == 0
    assert judge("荷物が届きません", MANY) is False
    assert count([*texts, "荷物が届きません"], ()).foreign == 0  # nothing is known of the encoder


def test_a_few_foreign_texts_are_no_reason_for_another_encoder() -> None:
    english, german = ["Where is the parcel?"] * 18, ["Wann kommt das Paket an?"] * 2

    assert not count(english + german, ENGLISH).mostly
    assert not count(german, ENGLISH).mostly
    assert count(english[:2] + german * 9, ENGLISH).mostly


@given(st.text())
def test_every_text_is_judged(text: str) -> None:
    assert judge(text, ENGLISH) in {True, False, None}


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.parent.name)
def test_a_store_in_english_seldom_raises_a_false_alarm(path: Path) -> None:
    texts = [json.loads(line)["input"] for line in path.read_text().splitlines()]
    rng = random.Random(0)
    alarms = sum(count(rng.choices(texts, k=ROWS), ENGLISH).mostly for _ in range(STORES))

    assert alarms == STORES if path.parent.name in GERMAN else alarms <= STORES / 100


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_a_store_in_another_language_is_told(path: Path) -> None:
    texts = [json.loads(line)["input"] for line in path.read_text().splitlines()]

    assert count(texts, ENGLISH).mostly == (path.stem != "en")
