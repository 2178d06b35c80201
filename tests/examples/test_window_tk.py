"""The Tk window answers, learns and forgets while its event loop turns, and leaves nothing open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from expenses import PAIRS
from one_page import refused_page, run_page
from repository import SUPPORT, with_support

from edge_icl import Memory

pytest_plugins = ["display"]


@pytest.mark.usefixtures("models_home", "fresh_models", "display")
def test_it_answers_learns_forgets_and_closes_and_never_makes_its_user_wait() -> None:
    with Memory.create("work", seed=bytes(range(32)), shots=4) as memory:
        memory.add_many(PAIRS)

    user = [sys.executable, SUPPORT / "driven_tk.py", memory.path]
    done = subprocess.run(user, capture_output=True, text=True, check=False, env=with_support(), timeout=300)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_no_store_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("tkinter", reason="this Python has no Tk")
    (tmp_path / "file").write_text("no store")

    refused_page(run_page("window_tk", "--store", tmp_path / "file"), "window_tk", "not a store")
