"""The layers: each imports only those below it, and the light commands load nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from command import HEAVY

REPOSITORY = Path(__file__).resolve().parent.parent
LADDER = [
    {"child", "cores", "errors", "fork", "interruptible", "progress", "strict"},
    {"cancel"},
    {"example"},
    {"cluster"},
    {"store"},
    {"similarity"},
    {"selection", "prompt", "prior", "rendering"},
    {"chat"},
    {"encoder", "llm"},
    {"models"},
    {"unlocking"},
    {"place", "vouching"},
    {"records", "opening", "options", "lengths", "lifetime", "shared", "vector"},
    {"matching"},
    {"view"},
    {"usual"},
    {"judging"},
    {"reply"},
    {"asking", "engines", "searching", "verification"},
    {"now"},
    {"reader"},
    {"memory"},
    {"aio", "mcp"},
    {"cli"},
]
RANK = {name: rank for rank, names in enumerate(LADDER) for name in names}
ALONE = {
    "models": {"cores", "errors", "progress", "llm", "encoder"},
    "llm": {"child", "cores", "errors", "fork", "interruptible", "progress", "cancel", "prompt", "chat"},
    "encoder": {"errors", "fork", "interruptible", "progress", "cores"},
}
FOLDERS = {"edge_icl": "edge_icl", "cli": "edge_icl.cli", "models": "edge_icl.models"}


def modules() -> dict[str, Path]:
    """Return every module of the package, by its dotted name, and its file."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            parts = path.relative_to(REPOSITORY / folder).with_suffix("").parts
            found[".".join((package, *parts)).removesuffix(".__init__")] = path
    return found


def imports(path: Path) -> set[str]:
    """Return the parts of edge_icl that a file imports, also for types only."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "edge_icl":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("edge_icl.")}
    return found & RANK.keys()


@pytest.mark.parametrize("name", [name for name in modules() if name != "edge_icl"])
def test_a_module_imports_only_the_layers_below_it(name: str) -> None:
    layer = name.split(".")[1]

    above = {other for other in imports(modules()[name]) - {layer} if RANK[other] > RANK[layer]}

    assert not above
    if layer in ALONE:
        assert imports(modules()[name]) - {layer} <= ALONE[layer]


def test_every_module_has_a_place_in_the_ladder() -> None:
    assert {name.split(".")[1] for name in modules() if name != "edge_icl"} <= RANK.keys()


def test_importing_the_library_loads_nothing_heavy() -> None:
    script = "import sys, edge_icl, edge_icl.cli.main; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert sorted(HEAVY & set(loaded.split())) == []


def test_only_the_output_module_prints() -> None:
    for name, path in modules().items():
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]
        assert not calls or name == "edge_icl.cli.output", name
