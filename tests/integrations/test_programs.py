"""The programs of docs/integrations.md run as they stand, without a connection and leaving nothing behind."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from repository import REPOSITORY
from watch import watched

import edge_icl

PAGE = (REPOSITORY / "docs" / "integrations.md").read_text(encoding="utf-8")
EXAMPLES = """
import doctest
for kind in (EdgeClassifier, EdgeExampleSelector, EdgeDemos):
    doctest.run_docstring_examples(kind, globals())
"""
"""Runs those in docstrings; what it says is what is wrong with them."""

SAID = {
    "scikit-learn": ["['travel' 'meals']", "1.0", "True"],
    "LangChain": [
        *["Lunch with a client -> meals", "", "Uber to the airport -> travel", "", "Taxi downtown ->"],
        *["Lunch with a client -> meals", "", "Taxi downtown ->"],
    ],
    "DSPy": ["travel", "['meals']"],
}


def test_they_do_what_they_say_and_connect_to_nothing(models_home: Path, tmp_path: Path) -> None:
    programs = [f"import sys; sys.path.insert(0, {str(Path(edge_icl.__file__).parents[1])!r})"]
    for tool in SAID:
        (program,) = re.findall(rf"^## {tool}\n.*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
        programs.append(program)

    ran = watched(sys.executable, "-c", "\n".join([*programs, EXAMPLES]), folder=tmp_path)

    assert ran.out.splitlines() == [line for lines in SAID.values() for line in lines], ran.err
    assert ran.code == 0, ran.err
    # urllib3, which LangChain and DSPy load, looks whether IPv6's own address can be bound; nothing connects.
    assert {event.split()[0] for event in ran.sockets} <= {"socket.__new__", "socket.bind"}
    assert ran.left == []
    assert not [*(models_home / "temporary").iterdir()]
