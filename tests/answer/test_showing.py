"""What a prompt would show, for programs that write their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_encoders import FIRST, imported_encoders, small_encoders

from edge_icl import InputError, Memory, Options

__all__ = ["imported_encoders", "small_encoders"]

INPUTS = ["a taxi", "a cat", "a dog", "the mat", "pay my card", "the airport"]


def test_the_examples_are_those_of_each_selection(small_encoders: Path) -> None:
    with Memory.create("some", encoder=FIRST, shots=3) as memory:
        assert memory.select("a taxi please") == []
        memory.add_many([(text, f"label {len(text)}") for text in INPUTS])

        nearest = memory.select("a taxi please", select="nearest", shots=4)
        erase = memory.select("a taxi please", Options(select="erase"))

        assert nearest == memory.search("a taxi please", limit=4)[::-1]
        assert len(erase) == 3
        assert memory.select("a taxi please", labels="on") == erase
        assert memory.select("a taxi please", labels="off") == memory.select("a taxi please", select="hybrid")
        assert memory.select("a taxi please", select="none") == []
        with pytest.raises(InputError, match="select cannot be 'best'"):
            memory.select("a taxi please", select="best")
        with pytest.raises(InputError, match="the question is empty"):
            memory.select(" ")
