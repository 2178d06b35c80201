"""Tab and Enter in real shells: a tag of anybody's file is one word of the command, and runs nothing."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from campaigns import later
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import DIMENSION, SETTINGS, make
from typing_shell import Shell

from edge_icl import Example
from edge_icl.cli.shells import Typed
from edge_icl.store.pages import Row

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")

COMMAND = "edge-icl forget --tag "
HOSTILE = (
    "2026;touch${IFS}ran;#",
    "$(touch ran)",
    "`touch ran`",
    "'; touch ran; '",
    '"; touch ran; "',
    "x && touch ran",
    "!! | touch ran > ran",
    "back\\slash\\",
    "* ?[a-z] {a,b} (x) %1 ^ = #",
    "a,b:c=d@e",
    "it's",
    "Grüße, 火锅",
)
"""Each with a number in front, so that it is the one that is meant."""

TAGS = {f"{number:02}": f"{number:02}{text}" for number, text in enumerate(HOSTILE, start=10)}
QUOTES = ("", "'", '"')
UNTYPED = "'\"\\$`!"
"""Characters that would end the quotes, or be replaced by the shell."""


LONG = "30 a;touch ran"
BEGUN = (r"30\ a", "30' 'a", '30" a', r'"30 a"\;to', "30\\", "'30 a;", '"30 a;touch', r"30\ a\;touch\ ran")
"""Ways in which a person may have begun to type `LONG`."""


def examples(*tags: str) -> list[Row]:
    """Return an example for each tag."""
    found = [Example.create(f"input {tag}", "output", tags=[tag]) for tag in tags]
    return [Row(one.id(SETTINGS.seed), np.zeros(DIMENSION, np.int8), one.canonical()) for one in found]


@pytest.fixture
def shell(request: pytest.FixtureRequest, own_home: Path, tmp_path: Path) -> Iterator[Shell]:
    """A shell, and a store with the hostile tags."""
    if not shutil.which(request.param):
        pytest.skip(f"needs {request.param}")
    make(own_home / "stores" / "default", examples(*TAGS.values(), LONG))
    typed = Shell(request.param, tmp_path / "shell")
    yield typed
    typed.close()


@pytest.mark.parametrize("shell", ["bash", later("zsh"), "fish"], indirect=True)
def test_a_tag_is_completed_as_one_word_and_runs_nothing(shell: Shell) -> None:
    for beginning, tag in TAGS.items():
        assert shell.words(COMMAND + beginning) == ["forget", "--tag", tag]

    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("shell", ["bash", later("zsh"), "fish"], indirect=True)
def test_so_is_one_in_quotes_or_after_an_equals_sign(shell: Shell) -> None:
    for (beginning, tag), quote in product([*TAGS.items()][:4], "'\""):
        assert shell.words(f"{COMMAND}{quote}{beginning}") == ["forget", "--tag", tag], (quote, tag)
    for beginning, tag in [*TAGS.items()][:2]:
        assert shell.words(f"edge-icl forget --tag={beginning}") == ["forget", f"--tag={tag}"]

    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("shell", ["bash", later("zsh"), "fish"], indirect=True)
def test_a_word_that_was_begun_in_quotes_or_with_escapes_goes_on(shell: Shell) -> None:
    for begun in BEGUN:
        assert shell.words(COMMAND + begun) == ["forget", "--tag", LONG], begun

    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"], indirect=True)
def test_a_word_that_the_shell_will_replace_is_left_alone(shell: Shell) -> None:
    for begun in ("$HOME/x", '"$HOME', "`echo 10", "$(echo 10"):
        found = shell.words(COMMAND + begun)
        assert found is None or not any(tag in found for tag in TAGS.values())

    assert list(shell.folder.iterdir()) == []


SPELT = st.sampled_from("ab09 \t\n'\"\\$`!;&|<>(){}[]*?~#^%=:,@é火")


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@given(st.lists(st.tuples(st.text(SPELT.filter(lambda c: c not in "\t\n"), min_size=1), st.integers(0, 9))))
@settings(max_examples=25)
def test_bash_reads_what_completes_a_word_as_the_value(values: list[tuple[str, int]]) -> None:
    """Also within backquotes, where it drops backslashes first."""
    lines, expected = [], []
    for (value, cut), quote in product(values, QUOTES):
        typed = quote + "".join(f"\\{c}" if not quote else c for c in value[:cut] if c not in UNTYPED)
        seen = Typed.read(f"edge-icl show x{typed}")
        rest = seen.bash(value)
        lines += [f"x{typed}{rest}"]
        expected += [f"{seen.last}{value}"]
    words = "\n".join(
        f"printf '%s\\0' {line}\nprintf '%s\\0' `printf %s {line} | base64 -w0`" for line in lines
    )

    done = subprocess.run(["bash"], input=words.encode(), capture_output=True, check=True, cwd="/")

    told = done.stdout.decode().split("\0")[:-1]
    assert told[0::2] == expected
    assert [base64.b64decode(one).decode() for one in told[1::2]] == expected


@given(st.text(SPELT))
def test_whatever_was_typed_is_read_without_an_error(line: str) -> None:
    for fish in (False, True):
        seen = Typed.read(f"edge-icl {line}", fish=fish)
        assert seen.words[:1] in ([], ["edge-icl"]) or seen.words[0].startswith("edge-icl")
        assert seen.end in {"", "'", '"', "\\"}
