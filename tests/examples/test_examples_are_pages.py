"""Every example is on the page that lists them, says how it is run, and is short enough to be read at once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from one_page import EXAMPLES

PAGES = sorted(EXAMPLES.glob("*.py"))
PAGE = 95
"""Lines of code that are one page, without imports, docstrings, comments and empty lines."""


def code_lines(source: str) -> int:
    """Return how many lines of code a program has."""
    tree = ast.parse(source)
    left_out: set[int] = set()
    for node in ast.walk(tree):
        says = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if says or isinstance(node, ast.Import | ast.ImportFrom):
            left_out |= {*range(node.lineno, node.end_lineno + 1)}
    lines = enumerate(source.splitlines(), start=1)
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and n not in left_out for n, line in lines
    )


def test_the_list_names_every_example_and_no_other() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    there = {path.name for path in EXAMPLES.iterdir()} - {"README.md", "data", "__pycache__"}

    assert {name for name in there if f"| [{name}]({name}) |" in text} == there


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_an_example_says_how_it_is_run_and_has_one_page(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    assert f"python examples/{path.name}" in ast.get_docstring(ast.parse(source))
    assert code_lines(source) <= PAGE
