"""What needs a package that is not installed says so, and how it is installed."""

from __future__ import annotations

import importlib
import sys

import pytest

from edge_icl import NotInstalledError


@pytest.mark.parametrize(
    ("tool", "package"),
    [("sklearn", "sklearn"), ("langchain", "langchain_core"), ("dspy", "dspy"), ("ray", "ray")],
)
def test_a_package_that_is_missing_is_told_of(monkeypatch: pytest.MonkeyPatch, tool: str, package: str) -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] == package or name.startswith(f"edge_icl.{tool}"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(NotInstalledError) as raised:
        importlib.import_module(f"edge_icl.{tool}")

    assert raised.value.hint == f'install it: pip install "edge-icl[{tool}]"'
    assert package in raised.value.message
