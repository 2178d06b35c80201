"""What PyInstaller is told, so that a frozen program has all that edge-icl loads late.

PyInstaller finds this room by the entry point `pyinstaller40`, and reads the files `hook-<module>.py` in it,
each for a module that a program imports; so `pyinstaller program.py` needs no options. docs/desktop.md says
what such a program weighs, and what belongs beside it.
"""

from __future__ import annotations

from pathlib import Path

BY_NAME = ("batch", "cli", "dspy", "freezing", "langchain", "mcp", "ray", "sklearn")
"""Parts of edge-icl that a program has only if it imports them: they need packages that few programs have, or
are for a terminal."""


def hook_dirs() -> list[str]:
    """Return the folders of our hooks, for PyInstaller."""
    return [str(Path(__file__).parent)]


def is_always_there(module: str) -> bool:
    """Return whether a module of edge_icl is in every frozen program: the library may load it late.

    Args:
        module: its dotted name.
    """
    return not module.startswith(tuple(f"edge_icl.{name}" for name in BY_NAME))
