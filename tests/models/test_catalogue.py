"""The catalogue: what it promises about its entries."""

import re

import pytest

from edge_icl.models.catalogue import (
    CATALOGUE,
    DEFAULT_ENCODER,
    DEFAULT_LLM,
    Entry,
    WheelSource,
    find,
)

entries = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)


def test_names_are_unique() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)


@entries
def test_every_source_delivers_exactly_the_files_of_its_entry(entry: Entry) -> None:
    assert entry.sources
    for source in entry.sources:
        assert sorted(source.files.values()) == sorted(file.name for file in entry.files)


@entries
def test_digests_are_whole_or_absent(entry: Entry) -> None:
    digests = [file.sha256 for file in entry.files]
    digests += [source.sha256 for source in entry.sources if isinstance(source, WheelSource)]
    assert all(digest is None or re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)


@entries
def test_only_encoders_have_encoder_settings(entry: Entry) -> None:
    assert (entry.encoder is not None) == (entry.kind == "encoder")


@pytest.mark.parametrize("name", [DEFAULT_LLM, DEFAULT_ENCODER])
def test_defaults_are_free_vouched_for_and_come_from_two_places(name: str) -> None:
    entry = find(name)

    assert entry is not None
    assert entry.licence == "Apache-2.0"
    assert all(file.sha256 for file in entry.files)
    assert len(entry.sources) == 2


def test_size_is_unknown_when_a_files_is() -> None:
    assert {entry.name for entry in CATALOGUE if entry.size is None} == {
        "qwen2.5-1.5b-instruct",
        "smollm2-1.7b-instruct",
        "llama-3.2-3b-instruct",
        "qwen2.5-7b-instruct",
    }


def test_an_unknown_name_has_no_entry() -> None:
    assert find("no-such-model") is None
