"""Texts that are longer than the encoder reads at a time."""

from pathlib import Path

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from test_encoder import words

from edge_icl import Example, Memory, Options
from edge_icl.encode.encoder import Encoder
from edge_icl.encode.settings import MOST_WINDOWS, EncoderSettings, Network
from edge_icl.models import location
from edge_icl.models.convert import convert
from edge_icl.store.disk import Store
from edge_icl.store.settings import Settings

LONGEST = 6  # [CLS], four words, [SEP]
BEGINNING = "This message and all files with it are confidential and meant for the addressee alone. " * 30
MAILS = {
    "Please pay the invoice of March within ten days, the sum is 450 euros.": "invoice",
    "The amount of the bill is overdue; kindly transfer the money this week.": "invoice",
    "Attached is our bill for April, payable to the account below.": "invoice",
    "Would you like to meet on Tuesday at ten in the large meeting room?": "meeting",
    "Let us move our talk to Thursday afternoon, the room is booked.": "meeting",
    "I invite you to the project meeting next Monday at nine o'clock.": "meeting",
}
"""What follows the same long beginning, and its label."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.bert(tmp_path_factory.mktemp("encoder"))
    (folder / "model.onnx").write_bytes(convert(folder))
    return folder


def make(folder: Path, *, windows: int = MOST_WINDOWS, threads: int = 2) -> Encoder:
    how = EncoderSettings(tiny.DIMENSION, 100, LONGEST, windows=windows)
    return Encoder([Network(folder / "model.onnx", folder / "tokenizer.json", how)], threads=threads)


def test_what_follows_the_first_window_counts(folder: Path) -> None:
    beginning = "taxi to my airport " * 3

    first, second = make(folder).encode([f"{beginning} please pay", f"{beginning} dog on mat"])
    cut, also_cut = make(folder, windows=1).encode([f"{beginning} please pay", f"{beginning} dog on mat"])

    assert not np.array_equal(first, second)
    assert np.array_equal(cut, also_cut)


def test_a_vector_is_the_direction_of_the_mean_in_which_each_window_counts_by_its_tokens(folder: Path) -> None:
    parts = ["taxi to my airport", "please pay my card", "the dog"]
    fine = make(folder).encode(["a"])  # loads
    assert fine.shape == (1, tiny.DIMENSION)
    long = EncoderSettings(tiny.DIMENSION, 1 << 6, LONGEST, windows=MOST_WINDOWS)
    encoder = Encoder([Network(folder / "model.onnx", folder / "tokenizer.json", long)])

    alone = encoder.encode(parts).astype(float) / 64
    mean = (4 * alone[0] + 4 * alone[1] + 2 * alone[2]) / 10
    together = encoder.encode([" ".join(parts)])[0]

    assert np.abs(together - 64 * mean / np.linalg.norm(mean)).max() <= 1.5  # each part was rounded before


def test_a_text_is_read_up_to_the_last_window_and_then_cut(folder: Path) -> None:
    encoder = make(folder)
    whole = "taxi to my airport " * MOST_WINDOWS

    vectors = encoder.encode([whole, whole + "please pay my card"])
    readings = encoder.readings([whole, whole + "please pay my card", "taxi"])

    assert np.array_equal(vectors[0], vectors[1])
    assert [reading.cut for reading in readings] == [False, True, False]


@settings(deadline=None, max_examples=40)
@given(texts=st.lists(st.lists(words, max_size=30).map(" ".join), max_size=12), threads=st.integers(1, 5))
def test_a_long_texts_vector_is_the_same_alone_and_in_any_batch(
    folder: Path, texts: list[str], threads: int
) -> None:
    together = make(folder, threads=threads).encode(texts)

    alone = make(folder)
    for text, vector in zip(texts, together, strict=True):
        assert np.array_equal(alone.encode([text])[0], vector)


def test_mails_with_one_long_beginning_are_told_apart(models_home: Path, tmp_path: Path) -> None:
    assert models_home.exists()
    how = Options(ask_model="never", recall=False)
    with Memory.create(tmp_path / "store", labels="yes") as memory:
        memory.add_many(Example.create(BEGINNING + end, label) for end, label in MAILS.items())

        bill = memory.ask(BEGINNING + "Here is the invoice, please pay the amount by Friday.", how)
        talk = memory.ask(BEGINNING + "Can we have the meeting on Wednesday in your room?", how)

    assert (bill.text, talk.text) == ("invoice", "meeting")


def test_a_store_made_when_texts_were_cut_keeps_its_encoder_and_cuts_them(
    models_home: Path, tmp_path: Path
) -> None:
    assert models_home.exists()
    found = location.find_encoder()
    recorded = found.record.encoder
    assert recorded is not None
    digest = found.record.encoder_digest(recorded)
    made = Settings(bytes(32), found.name, digest, recorded.dimension, recorded.scale)
    Store.create(tmp_path / "store", made)

    with Memory.open(tmp_path / "store") as memory:
        memory.add("Taxi downtown", "travel")
        first, second = memory.embed([BEGINNING * 2 + "Taxi", BEGINNING * 2 + "Lunch"])
        assert memory.ask("Taxi downtown").text == "travel"

    assert digest != found.digest
    assert first == second
