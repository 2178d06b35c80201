"""The API reference: its examples run as they stand, and every public name is in it."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import edge_icl
from edge_icl import batch
from edge_icl.aio import AsyncMemory

PUBLIC = {name: getattr(edge_icl, name) for name in edge_icl.__all__} | {"AsyncMemory": AsyncMemory}
PUBLIC |= {name: getattr(batch, name) for name in batch.__all__}
SHOWN = {"AsyncMemory", "Cancel", "Example", "Labeler", "Memory", "Options", "Reply"}
"""What a program makes or holds: each of these has an example that runs."""


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_the_examples_in_docstrings_run_as_they_stand(models_home: Path, name: str) -> None:
    found = doctest.DocTestFinder().find(PUBLIC[name], name, globs=dict(PUBLIC))
    runner = doctest.DocTestRunner()
    report: list[str] = []
    for test in found:
        runner.run(test, out=report.append)

    assert runner.tries > 0
    assert runner.failures == 0, "".join(report)


def test_every_public_name_is_in_the_reference(tmp_path: Path) -> None:
    modules = ["edge_icl", "edge_icl.aio", "edge_icl.batch"]
    command = [sys.executable, "-m", "pdoc", "-d", "google", "-o", tmp_path, *modules]
    subprocess.run(command, check=True, capture_output=True)

    written = ("edge_icl.html", "edge_icl/aio.html", "edge_icl/batch.html")
    page = "".join((tmp_path / name).read_text(encoding="utf-8") for name in written)
    for name, value in PUBLIC.items():
        for attribute in ("", *vars(value)):
            member = getattr(value, attribute, None) if attribute else None
            if not attribute or (not attribute.startswith("_") and inspect.isroutine(member)):
                anchor = f'id="{name}.{attribute}"' if attribute else f'id="{name}"'
                assert anchor in page, anchor
