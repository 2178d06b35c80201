"""A program that PyInstaller has frozen does what it does in Python, without Python or an environment."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import tiny
from campaigns import later
from PyInstaller.depend.bindepend import get_python_library_path
from repository import REPOSITORY
from test_layers import MODULES

from edge_icl import Memory
from edge_icl.freezing import is_always_there
from edge_icl.models.importing import import_model

PAGE = (REPOSITORY / "docs" / "desktop.md").read_text(encoding="utf-8")
UNUSED = {
    *("IPython", "PySide6", "dspy", "hypothesis", "langchain_core", "litellm", "mcp", "openai", "pandas"),
    *("pyarrow", "pytest", "scipy", "sklearn", "tornado", "zmq"),
}
"""What lies in an environment of developers, and what edge-icl or what it needs can use where it is."""

LEFT_OUT = ("huggingface_hub", "onnx", "safetensors")
"""What only fetches and imports models."""

NAME = "Ausgaben für Zoë"

PROBE = """
import asyncio, json, sys
from importlib import metadata
from pathlib import Path

if "windowed" in sys.argv:
    sys.stdin = sys.stdout = sys.stderr = None
told = Path(sys.argv[1])
with (told / "starts").open("a") as starts:
    starts.write("once ")

import keyring.backend
import program
from edge_icl import Memory, read
from edge_icl.aio import AsyncMemory
from edge_icl.llm import build
from edge_icl.prompt.template import render

MODELS = {"encoder": program.MODELS / "encoder", "model": program.MODELS / "model.gguf"}


async def later():
    async with await AsyncMemory.open(told / "plain", **MODELS) as memory:
        await memory.add("a dog sat", "pets")
        return [piece async for piece in memory.stream("a cat sat", labels="off")]


def seen():
    program.main(str(told / "plain"))
    yield "asyncio", asyncio.run(later())
    with Memory.open(told / "sealed", passphrase="correct horse battery", **MODELS) as memory:
        memory.add("the cat", "pets")
        yield "sealed", memory.encrypted, memory.verify(deep=True).ok
    (told / "rows.csv").write_text("input,output\\ntaxi,travel\\n")
    yield "read", [example.output for example in read(told / "rows.csv")]
    yield "template", render("{{ messages[0].content }}", end="", messages=[{"content": "Taxi"}])
    yield "llama.cpp", build.llama_version(), build.backends()
    yield "keyrings", sorted(type(found).__module__ for found in keyring.backend.get_all_keyring())


if __name__ == "__main__":
    (told / "seen.json").write_text(json.dumps(list(seen()), indent=1))
"""


def run(command: list[str | Path], folder: Path, **environment: str) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the docs' program and of what probes it, with models beside it."""
    folder = tmp_path_factory.mktemp("program")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(folder / "home"))
        import_model("encoder", tiny.bert(folder / "bert"))
        Memory.create(folder / "empty", encoder="encoder").close()
    shutil.copytree(folder / "home" / "models" / "encoder", folder / "models" / "encoder")
    (folder / "models" / "model.gguf").write_bytes(tiny.llama())
    (text,) = re.findall(r"```python\n(\"\"\"Sorts.*?)```", PAGE, re.DOTALL)
    (folder / "program.py").write_text(text)
    (folder / "probe.py").write_text(PROBE)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with edge-icl as it is installed from a wheel."""
    folder = tmp_path_factory.mktemp("installed")
    for name in ("edge_icl", "models", "cli"):
        shutil.copytree(
            REPOSITORY / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, folder / "source")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, folder / "source"]
    run(build, folder, **os.environ)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


@pytest.fixture(scope="module", params=[later("onedir"), later("onefile")])
def frozen(
    request: pytest.FixtureRequest,
    program: Path,
    site: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The probe, frozen and moved elsewhere; what was collected for it is told in the program's `build`."""
    if get_python_library_path() is None:
        pytest.skip("PyInstaller needs a Python with a shared library, such as Debian's libpython3.11")
    left_out = [f"--exclude-module={name}" for name in LEFT_OUT]
    options = ["--noconfirm", "--log-level=ERROR", f"--name={NAME}", "--add-data=models:models", *left_out]
    command = [sys.executable, "-m", "PyInstaller", f"--{request.param}", *options, "probe.py"]
    run(command, program, **os.environ | {"PYTHONPATH": str(site)})
    return shutil.move(program / "dist", tmp_path_factory.mktemp("moved") / "Programme für alle") / NAME


def probe(
    command: list[str | Path], program: Path, folder: Path, *words: str, **environment: str
) -> tuple[str, object]:
    """Run the probe in an otherwise empty environment; return what it printed and what it saw."""
    shutil.copytree(program / "empty", folder / "plain")
    printed = run([*command, folder, *words], folder, EDGE_ICL_HOME=str(folder / "home"), **environment)
    assert (folder / "starts").read_text() == "once "
    return printed, json.loads((folder / "seen.json").read_text())


def test_a_frozen_program_does_what_it_does_in_python(
    program: Path, site: Path, frozen: Path, tmp_path: Path
) -> None:
    python = [sys.executable, program / "probe.py"]
    printed, seen = probe(python, program, tmp_path / "python", PYTHONPATH=str(site))
    start: list[str | Path] = [frozen / NAME if frozen.is_dir() else frozen]

    assert probe(start, program, tmp_path / "frozen") == (printed, seen)
    assert probe(start, program, tmp_path / "windowed", "windowed") == ("", seen)


def test_a_frozen_program_has_every_module_that_may_be_loaded_late(program: Path, frozen: Path) -> None:
    collected = ast.literal_eval((program / "build" / NAME / "PYZ-00.toc").read_text(encoding="utf-8"))
    names = {name for name, *_ in collected[1]}

    assert {name for name in MODULES if is_always_there(name)} - names == set()
    assert {name.split(".")[0] for name in names} & {*UNUSED, *LEFT_OUT} == set()


def test_a_frozen_program_has_the_licences_of_what_is_in_it(frozen: Path) -> None:
    if frozen.is_file():
        return  # they are packed in it
    inside = frozen / "_internal"

    for package in ("edge_icl", "llama_cpp_python", "numpy", "simsimd"):
        assert list(inside.glob(f"{package}-*.dist-info/licenses/LICENSE*")), package
    assert (inside / "onnxruntime" / "ThirdPartyNotices.txt").exists()


def needed(name: str, found: dict[str, str]) -> dict[str, str]:
    """Return the installed distributions that one needs, itself too, and the licence that each tells."""
    try:
        told = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return found  # for another system, or another Python
    fields = told.metadata
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key not in found:
        classes = [line for line in fields.get_all("Classifier", []) if line.startswith("License")]
        found[key] = " ".join([fields.get("License-Expression", ""), fields.get("License", ""), *classes])
        for other in told.requires or []:
            if "extra ==" not in other:
                needed(re.findall(r"[\w.-]+", other)[0], found)
    return found


def test_the_page_names_the_licence_of_all_that_is_in_a_frozen_program() -> None:
    table = PAGE.partition("| package | licence |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (?:with .*: )?([\w.-]+) \| (\w+)", table, re.MULTILINE)
    page = {re.sub(r"[-_.]+", "-", name).lower(): licence for name, licence in rows}
    found: dict[str, str] = {}
    for name in ("edge-icl", "cryptography", "zxcvbn", "keyring"):
        needed(name, found)

    assert found.keys() - page.keys() == set()
    assert {name: found[name] for name in found if page[name].lower() not in found[name].lower()} == {}
