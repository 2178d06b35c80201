"""The one-page programs of examples/, run in this process as at a terminal, or in one of their own."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
from functools import cache
from types import ModuleType
from unittest import mock

from command import Ran
from repository import REPOSITORY

EXAMPLES = REPOSITORY / "examples"


@cache
def load(name: str) -> ModuleType:
    """Return a program as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_page(name: str, *words: object) -> Ran:
    """Run a program in this process; what it prints and how it ends are as at a terminal."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        mock.patch.object(sys, "argv", [f"{name}.py", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            load(name).main()
        except SystemExit as end:
            code = end.code
    if isinstance(code, str):  # Python prints the sentence that a program ends with
        return Ran(1, out.getvalue(), err.getvalue() + code + "\n")
    return Ran(code, out.getvalue(), err.getvalue())


def refused_page(ran: Ran, name: str, *words: str) -> None:
    """Check that a program ended with one sentence that says these words, after its name."""
    assert ran.code != 0
    last = ran.err.splitlines()[-1]
    assert last.startswith((f"{name}: error: ", f"{name}.py: error: ")), ran.err
    assert "Traceback" not in ran.err
    for word in words:
        assert word in last, last
