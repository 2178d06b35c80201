"""How far a call goes through the library: what a reader would have to open to follow it.

    python benchmarks/routes.py [--code FOLDER]

For one `ask` with labels, one that writes, one `add` and one `forget` by id: the modules of edge_icl whose
functions run, how many functions these are, closures among them, and how often control goes from one room to
another. For the question and the id: the rooms that take them as an argument, and the names that they have
there. Everything is loaded before, so that importing is not counted. The import graph follows: modules, arrows,
and floors, the longest chain of modules that import each other; a circle has none.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tempfile
import threading
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from edge_icl import Example, Memory, Options

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

EXAMPLES = [
    Example.create("Uber to the airport", "travel"),
    Example.create("Train to Lyon", "travel"),
    Example.create("Lunch with a client", "meals"),
    Example.create("Dinner for the team", "meals"),
]
QUESTION = "Taxi home at night"
NESTED = 0x10  # CO_NESTED: a function inside another one
GENERATED = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class Route:
    """What was called while it was watched."""

    def __init__(self, *followed: object) -> None:
        self._followed = followed
        self.taken: dict[str, set[str]] = {}
        self.functions: dict[str, set[CodeType]] = {}
        self.crossings = 0
        self._last = ""

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event != "call" or not module.startswith("edge_icl"):
            return
        self.functions.setdefault(module, set()).add(frame.f_code)
        code = frame.f_code
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            value = frame.f_locals.get(name)
            if isinstance(value, str | bytes) and value in self._followed:
                self.taken.setdefault(name, set()).add(room(module))
        if room(module) != self._last:
            self._last, self.crossings = room(module), self.crossings + 1

    def line(self, name: str) -> str:
        code = [one for found in self.functions.values() for one in found]
        closures = sum(bool(one.co_flags & NESTED) and one.co_name not in GENERATED for one in code)
        return f"{name:<14} {len(self.functions):>7} {len(code):>9} {closures:>8} {self.crossings:>9}"

    def names(self, what: str) -> str:
        """Return the rooms that took what was followed, and its names there."""
        rooms, names = sorted(set().union(*self.taken.values())), sorted(self.taken)
        return f"{what}: {len(rooms)} rooms ({', '.join(rooms)}), {len(names)} names ({', '.join(names)})"


def room(module: str) -> str:
    """Return the package that a module is in; a module of the root is a room of its own."""
    return [*module.split("."), ""][1]


def watched(work: Callable[[], object], *followed: object) -> Route:
    """Run work, on whatever threads, and return what it called, and where it passed on what is followed."""
    route = Route(*followed)
    threading.setprofile(route)
    sys.setprofile(route)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return route


def modules(code: Path) -> dict[str, Path]:
    """Return the modules of a checkout by name."""
    found = {}
    for folder, package in (("edge_icl", "edge_icl"), ("cli", "edge_icl.cli"), ("models", "edge_icl.models")):
        for path in sorted((code / folder).rglob("*.py")):
            parts = path.relative_to(code / folder).with_suffix("").parts
            found[".".join((package, *parts)).removesuffix(".__init__")] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Return the modules that one imports, late or for types only as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {one if one in known else node.module for one in named}
    return found & known.keys() - {"edge_icl"}


def floors(graph: dict[str, set[str]]) -> int | None:
    """Return the length of the longest chain of imports; None where there is a circle."""
    height: dict[str, int] = {}
    try:
        order = [*TopologicalSorter(graph).static_order()]
    except ValueError:
        return None
    for name in order:
        height[name] = 1 + max((height[one] for one in graph.get(name, ())), default=0)
    return max(height.values())


def show_graph(code: Path) -> None:
    known = modules(code)
    graph = {name: imports(path, known) - {name} for name, path in known.items() if name != "edge_icl"}
    rooms: dict[str, list[Path]] = {}
    for name, path in known.items():
        rooms.setdefault(room(name) if len(name.split(".")) > 2 else "(root)", []).append(path)
    print(f"\n{'room':<12} {'modules':>7} {'lines':>7}")
    for name, paths in sorted(rooms.items()):
        print(f"{name:<12} {len(paths):>7} {sum(len(one.read_text().splitlines()) for one in paths):>7}")
    arrows = sum(map(len, graph.values()))
    print(f"\n{len(graph)} modules, {arrows} arrows, {floors(graph) or 'no, there are circles:'} floors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--code", type=Path, default=Path(__file__).resolve().parents[1])
    given = parser.parse_args()
    written = Options(labels="off", max_tokens=8)
    with tempfile.TemporaryDirectory() as folder, Memory.create(f"{folder}/store") as memory:
        memory.add_many(EXAMPLES)
        for options in (Options(labels="on", ask_model="always"), written):
            memory.ask("Taxi downtown", options)
        paper = memory.add("Printer paper", "office").ids[0]
        asked = watched(lambda: memory.ask(QUESTION, Options(labels="on", ask_model="always")), QUESTION)
        forgotten = watched(lambda: memory.forget(paper), paper, bytes.fromhex(paper))
        print(f"{'':<14} modules functions closures crossings")
        print(asked.line("ask, labels"))
        print(watched(lambda: memory.ask(QUESTION, written)).line("ask, written"))
        print(watched(lambda: memory.add("Ferry to the island", "travel")).line("add"))
        print(forgotten.line("forget"))
        print(asked.names("question"))
        print(forgotten.names("id"))
    show_graph(given.code)


if __name__ == "__main__":
    main()
