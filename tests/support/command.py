"""Running the command line: here, as if at a terminal, or in a process; and what must hold of a failed run."""

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from edge_icl import Example
from edge_icl.cli.main import main

SEED = bytes(32)

EXAMPLES = (
    Example.create("Uber to the airport", "travel", tags=["2026"]),
    Example.create("Uber to airport", "travel", source="old.csv"),
    Example.create("Train to Berlin", "travel", source="old.csv"),
    Example.create("Sandwich at noon", "food", tags=["2026"]),
    Example.create("Printer paper", "office"),
)
"""The first two are nearly the same."""

IDS = {example.input: example.id(SEED).hex() for example in EXAMPLES}
"""Input -> id, in a store with this seed."""


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    code: int
    out: str
    err: str


class Screen(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


class Keyboard(io.TextIOWrapper):
    """A stream that a person types into."""

    def isatty(self) -> bool:
        return True


def run(*args: str, stdin: str | bytes = b"") -> Ran:
    """Run a command in this process, piped on all sides."""
    return _run(args, io.StringIO(), io.StringIO(), io.TextIOWrapper(io.BytesIO(_bytes(stdin))))


def at_terminal(*args: str, typed: str = "") -> Ran:
    """Run a command in this process, at a terminal of 80 columns."""
    with mock.patch.dict("os.environ", COLUMNS="80", NO_COLOR="1"):
        return _run(args, Screen(), Screen(), Keyboard(io.BytesIO(_bytes(typed))))


def process(*args: str, stdin: str | bytes = b"") -> Ran:
    """Run a command as users do, in a process of its own."""
    # llama_cpp leaves /dev/null open, which is its own business.
    warnings = ["-W", "error", "-W", "ignore::ResourceWarning"]
    command = [sys.executable, *warnings, "-c", PROGRAM, *args]
    done = subprocess.run(command, input=_bytes(stdin), capture_output=True, check=False, timeout=120)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


PROGRAM = "import sys; from edge_icl.cli.main import main; sys.exit(main())"

HEAVY = (
    {
        "chardet",
        "llama_cpp",
        "onnxruntime",
        "onnx",
        "tokenizers",
        "huggingface_hub",
        "jinja2",
        "simsimd",
        "tqdm",
    }
    | {"cryptography", "keyring", "mcp", "pydantic", "anyio", "scipy", "torch", "pip", "setuptools"}
    | {"asyncio", "multiprocessing", "socket", "ssl", "http", "urllib.request", "email", "importlib.metadata"}
    | {"concurrent.futures.process", "sqlite3", "unittest", "xml", "ray", "pandas", "pyarrow"}
)
"""Modules that take long to load, and that nothing but a model, a network or an extra needs."""


def loaded(*args: str) -> set[str]:
    """Run a command in a process of its own, which must go well, and return the modules that it imports."""
    command = [sys.executable, "-X", "importtime", "-c", PROGRAM, *args]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, models and the key of the home apart, which is made on first use."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if folder / "models" not in path.parents and path.name != "vouch.key"
    }


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Check that the block changes no byte below a folder."""
    before = content(folder)
    yield
    assert content(folder) == before


def refused(ran: Ran, *words: str, code: int = 1) -> None:
    """Check that a run failed with one sentence that says these words, and with nothing else."""
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("edge-icl: error: "), ran.err
    assert ran.err.count("\n") == 1
    assert ran.err.endswith("\n")
    assert not ran.err.endswith(".\n")
    for word in words:
        assert word in ran.err, ran.err


def _run(args: tuple[str, ...], out: io.StringIO, err: io.StringIO, stdin: io.TextIOWrapper) -> Ran:
    """Run a command with these streams."""
    with mock.patch.multiple(sys, stdout=out, stderr=err, stdin=stdin):
        code = main(args)
    return Ran(code, out.getvalue(), err.getvalue())


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
