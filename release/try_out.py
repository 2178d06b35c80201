"""Try wheels where there is nothing else: an empty environment, an empty home, no compiler in the PATH.

    python3 release/try_out.py dist                                    # on this machine
    docker run -v .:/repository python:3.11-slim python3 /repository/release/try_out.py /repository/dist

It needs Python alone. What is not in the folder of wheels comes from the package index, and the models from
where `edge-icl models fetch` has them; `--offline` and `--models` do without.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

EXAMPLES = {
    "Taxi from the station to the hotel": "travel",
    "Train to Hamburg and back": "travel",
    "Lunch with the new customers": "meals",
    "Coffee and cake for the whole team": "meals",
    "Printer paper and a box of pens": "office",
    "A new chair for the meeting room": "office",
}
QUESTION, ANSWER = "Flight to Madrid", "travel"
KEPT = ("PIP_", "SSL_", "SYSTEMROOT", "UV_", "HTTP_PROXY", "HTTPS_PROXY")
"""How the variables begin that stay: how to reach the package index, and what Windows cannot do without."""

SCRIPTS_NEED = ("dirname", "realpath")
"""What the scripts call that uv makes."""

BARE = "import llama_cpp as l; l.llama_backend_init(); print(l.llama_print_system_info().decode())"
"""llama.cpp as others use it."""


def main() -> None:
    """Install, and use."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", type=Path, help="the folder with them")
    parser.add_argument("--offline", action="store_true", help="the folder has what they need, too")
    parser.add_argument("--models", type=Path, help="the folder `models` of a home; none: fetch them")
    parser.add_argument("--tools", type=Path, help="a folder with uvx and pipx, to run the command with them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edge-icl-") as folder:
        place = Place(Path(folder), arguments.wheels.resolve())
        place.install(offline=arguments.offline)
        place.use(arguments.models)
        if arguments.tools is not None:
            place.run_without_installing(arguments.tools.resolve())
    print("the wheels work")


class Place:
    """An empty folder, in which nothing of this machine is used but Python."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self._wheels = wheels
        self._environment = folder / "environment"
        self._binaries = self._environment / ("Scripts" if os.name == "nt" else "bin")
        self._work = folder / "work"
        self._home = folder / "home"
        self._path = folder / "path"
        for made in (self._work, self._home, self._path):
            made.mkdir()
        kept = {name: value for name, value in os.environ.items() if name.upper().startswith(KEPT)}
        self._variables = kept | {
            "HOME": str(self._home),
            "USERPROFILE": str(self._home),
            "PATH": str(self._path),
            "PIP_NO_CACHE_DIR": "1",
            "EDGE_ICL_HOME": str(self._home / "edge-icl"),
        }

    def install(self, *, offline: bool) -> None:
        """Install edge-icl with pip, as a user does."""
        venv.create(self._environment, with_pip=True)
        index = ["--no-index"] if offline else []
        pip = [self._binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        self.run(*pip, *index, "--find-links", self._wheels, "edge-icl")

    def use(self, models: Path | None) -> None:
        """Teach, ask, forget and look over; the working directory has a library that must not be loaded."""
        command = self._binaries / "edge-icl"
        self.run(command, "--version")
        if models is None:
            self.run(command, "models", "fetch")
        else:
            shutil.copytree(models, self._home / "edge-icl" / "models")
        (variant, *_) = sorted(self._environment.rglob("*ggml-cpu-*"))
        trap = self._work / variant.name.replace("cpu-", "cpu-trap-")
        shutil.copy(variant, trap)
        for text, label in EXAMPLES.items():
            self.run(command, "add", text, label)
        self._says(ANSWER, command, "ask", QUESTION, "--labels", "on")
        self._says("fits this processor best", command, "doctor")
        self.run(command, "forget", "--match", "Hamburg", "--yes")
        self._says("sound", command, "verify", "--deep")
        self._says("CPU : ", self._binaries / "python", "-c", BARE)
        if sys.platform == "linux":
            for loads in ([command, "ask", QUESTION], [self._binaries / "python", "-c", BARE]):
                self._refuses(trap, *loads)

    def run_without_installing(self, tools: Path) -> None:
        """Run the command with uvx and with pipx, each with caches of its own."""
        caches = {"UV_CACHE_DIR": "uv", "PIPX_HOME": "pipx", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data"}
        self._variables |= {name: str(self._home / folder) for name, folder in caches.items()}
        self._variables["UV_PYTHON"] = sys.executable
        for name in SCRIPTS_NEED:
            if found := shutil.which(name):
                (self._path / name).symlink_to(found)
        self.run(tools / "uvx", "--find-links", self._wheels, "edge-icl", "--version")
        self.run(tools / "pipx", "run", f"--pip-args=--find-links={self._wheels}", "edge-icl", "--version")

    def run(self, *command: object, **variables: str) -> str:
        """Run a command in the working directory; return its output, or end where it fails."""
        words = [str(word) for word in command]
        print("$", " ".join(Path(word).name if word.startswith(os.sep) else word for word in words), flush=True)
        done = subprocess.run(
            words,
            cwd=self._work,
            env=self._variables | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout, end="", flush=True)
        if done.returncode:
            raise SystemExit(f"it failed with exit code {done.returncode}")
        return done.stdout

    def _says(self, expected: str, *command: object) -> None:
        """Run a command whose output must have this text in it."""
        if expected not in self.run(*command):
            raise SystemExit(f"{expected!r} was expected")

    def _refuses(self, trap: Path, *command: object) -> None:
        """Run a command that must not load a library; the linker tells all that it loads."""
        told = self._work / "linker"
        self.run(*command, LD_DEBUG="files", LD_DEBUG_OUTPUT=str(told))
        if any(str(trap) in path.read_text(errors="replace") for path in self._work.glob("linker.*")):
            raise SystemExit(f"{trap.name} was loaded from the working directory")


if __name__ == "__main__":
    main()
