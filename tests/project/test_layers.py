"""The rooms: each imports only those before it, without circles, and light commands load nothing heavy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest
from command import HEAVY
from repository import REPOSITORY

import edge_icl

LADDER = [
    {"errors"},
    {"freezing"},
    {"runtime"},
    {"display"},
    {"example"},
    {"cluster"},
    {"store"},
    {"results"},
    {"search"},
    {"prompt", "prior", "encode"},
    {"llm"},
    {"models"},
    {"access"},
    {"answer"},
    {"report"},
    {"forms"},
    {"changes"},
    {"memory"},
    {"batch", "fields"},
    {"aio", "mcp", "sklearn", "langchain", "dspy", "ray"},
    {"formats"},
    {"openai"},
    {"cli"},
]
RANK = {name: rank for rank, names in enumerate(LADDER) for name in names}
ALONE = {
    "runtime": {"errors"},
    "display": {"errors", "runtime"},
    "cluster": {"example"},
    "prompt": {"errors", "runtime", "example"},
    "llm": {"errors", "runtime", "prompt"},
    "models": {"errors", "runtime", "llm", "encode"},
    "formats": {"errors", "runtime", "display", "example", "encode", "search"},
}
FILES = {"encodings", "formats", "given", "spreadsheets", "tables", "utf8"}
"""What of the command line's folder reads and writes files for programs too: a rung of its own."""

FOLDERS = {"edge_icl": "edge_icl", "cli": "edge_icl.cli", "models": "edge_icl.models"}
ROOMS = sorted(name for name in RANK if (REPOSITORY / "edge_icl" / name).is_dir() or name in FOLDERS)


def modules() -> dict[str, Path]:
    """Return every module of the package, by its dotted name, and its file."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            if path.name.startswith("hook-"):
                continue  # PyInstaller's, read by their paths
            parts = path.relative_to(REPOSITORY / folder).with_suffix("").parts
            found[".".join((package, *parts)).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(name: str) -> set[str]:
    """Return the modules of edge_icl that a module imports, late or for types only as well."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "edge_icl":
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {one if one in MODULES else node.module for one in named}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
    return found - {name, "edge_icl"}


def room(name: str) -> str:
    """Return the rung of a module: its room; of what the command line shares with programs, `formats`."""
    found = name.split(".")[1:]
    return "formats" if found[0] == "cli" and found[1:] and found[1] in FILES else found[0]


@pytest.mark.parametrize("name", [name for name in MODULES if name != "edge_icl"])
def test_a_module_imports_only_the_rooms_before_its_own(name: str) -> None:
    others = {room(one) for one in imports(name)} - {room(name)}

    assert not {other for other in others if RANK[other] >= RANK[room(name)]}
    assert others <= ALONE.get(room(name), others)


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({name: imports(name) for name in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_module_is_in_a_room_of_the_ladder() -> None:
    assert {room(name) for name in MODULES if name != "edge_icl"} == RANK.keys()


def reading_order(name: str) -> list[str]:
    """Return the modules of a room as its docstring lists them."""
    told = import_module(f"edge_icl.{name}").__doc__ or ""
    lines = re.findall(r"^    ((?:\w+, )*\w+) ", told.rpartition(" this order")[2], re.MULTILINE)
    return [one for line in lines for one in line.split(", ")]


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_lists_its_modules_each_after_those_that_it_imports(name: str) -> None:
    order, inside = reading_order(name), f"edge_icl.{name}."
    found = {one.split(".")[2]: set() for one in MODULES if one.startswith(inside)}
    for one in MODULES:
        if one.startswith(inside):
            module = one.split(".")[2]
            found[module] |= {other.split(".")[2] for other in imports(one) if other.startswith(inside)} - {
                module
            }

    assert sorted(order) == sorted(found)
    for module, needed in found.items():
        assert not {other for other in needed if order.index(other) > order.index(module)}, module


def test_the_map_names_every_room() -> None:
    told = re.findall(r"^    ([a-z, ]+?)  +\S", edge_icl.__doc__ or "", re.MULTILINE)

    names = [name.strip() for names in told for name in names.split(",")]

    assert sorted(names) == sorted(RANK)
    assert [RANK[name] for name in names] == sorted(RANK.values())


def test_importing_the_library_loads_nothing_heavy() -> None:
    script = "import sys, edge_icl, edge_icl.cli.main; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert sorted(HEAVY & set(loaded.split())) == []


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("edge_icl.ray")])
def test_ray_is_imported_in_its_room_alone(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    found |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert not {one for one in found if one.split(".")[0] == "ray"}
    assert name in ("edge_icl.cli.fleet", "edge_icl.cli.labelling") or not {
        one for one in imports(name) if room(one) == "ray"
    }


def test_one_module_alone_prints() -> None:
    for name, path in MODULES.items():
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]
        assert not calls or name == "edge_icl.cli.printing", name
