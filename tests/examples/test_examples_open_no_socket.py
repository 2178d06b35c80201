"""No example opens a socket unless that is what it shows, as docs/privacy.md says."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from one_page import EXAMPLES
from watch import can_forbid, watched

README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
ALL = """
import runpy, shlex, sys

for line in sys.stdin:
    sys.argv = shlex.split(line)
    runpy.run_path(sys.argv[0], run_name="__main__")
"""
WINDOW = """
import runpy, sys
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

def drive(application):
    window = next(one for one in application.topLevelWidgets() if one.windowTitle() == "edge-icl")
    window.line.setText("Uber to the airport")
    window.label.setEditText("travel")
    window.teach()
    while not window.shown:
        QTest.qWait(10)
    window.close()

QApplication.exec = drive
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def commands() -> list[str]:
    """Return the lines that the README shows for programs that end by themselves."""
    return re.findall(r"^python (examples/(?:sort_mail|label_csv|house_style)\.py .*)$", README, re.MULTILINE)


@pytest.mark.usefixtures("models_home", "fresh_models")
def test_the_commands_of_the_readme_run_as_they_stand_and_open_no_socket(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(EXAMPLES)

    ran = watched(sys.executable, "-c", ALL, folder=tmp_path, stdin="\n".join(commands()), forbid=can_forbid())

    assert (ran.code, ran.sockets, ran.left) == (0, [], []), ran.err
    assert {shlex.split(line)[0] for line in commands()} == {
        f"examples/{name}.py" for name in ("sort_mail", "label_csv", "house_style")
    }
    assert {path.name for path in tmp_path.iterdir()} >= {"sorted", "out.csv"}


@pytest.mark.usefixtures("models_home", "fresh_models")
def test_a_window_opens_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PySide6.QtCore", reason="PySide6 is not installed", exc_type=ImportError)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")

    page = EXAMPLES / "window_pyside.py"
    ran = watched(sys.executable, "-c", WINDOW, page, "--store", "work", folder=tmp_path, forbid=can_forbid())

    assert (ran.code, ran.sockets, ran.left) == (0, [], []), ran.err
