"""A text comes out in the style of the pairs, and those that taught it are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_page import refused_page, run_page

from edge_icl import Memory

SEED = bytes(range(32))


@pytest.fixture(autouse=True)
def _store(models_home: Path) -> None:
    """A store that is the same in every test."""
    Memory.create("house-style", seed=SEED).close()


def test_a_message_is_written_in_the_style_of_the_pairs_that_are_shown() -> None:
    ran = run_page("house_style", "wheres the parking lot")

    assert (ran.code, ran.err) == (0, "")
    asked, written, *shown = ran.out.splitlines()
    assert asked == "wheres the parking lot"
    assert written.startswith("  -> Could you please tell me")
    assert "parking lot" in written
    assert any(
        line.endswith("wheres the entrance -> Could you please tell me where the entrance is?")
        for line in shown
    )
    with Memory.open("house-style") as memory:
        assert all(memory.get(line.split()[0]) for line in shown)


def test_pairs_of_ones_own_are_taught_instead(tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text("input,output\nwhats the price,Kindly tell us the price.\n")

    ran = run_page("house_style", "--pairs", tmp_path / "ours.csv", "whats the price")

    assert ran.out.splitlines()[1] == "  -> Kindly tell us the price."
    with Memory.open("house-style") as memory:
        assert len(memory) == 1


def test_what_cannot_be_done_is_one_sentence(tmp_path: Path) -> None:
    refused_page(run_page("house_style", "--pairs", tmp_path / "no.csv", "x"), "house_style", "no.csv")
    refused_page(run_page("house_style", "--model", "no-such", "x"), "house_style", "no-such")
    refused_page(run_page("house_style", " "), "house_style", "empty")
