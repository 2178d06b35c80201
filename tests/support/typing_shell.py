"""A real shell at a terminal, into which keys are typed: which words it gives to the program that it starts."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = "import sys; from edge_icl.cli.main import main; sys.exit(main())"
WRAPPER = """#!/bin/sh
if [ -n "$_EDGE_ICL_COMPLETE" ] || [ "$1" = completion ]; then
    exec "{python}" -c '{program}' "$@"
fi
printf '%s\\0' "$@" > "{words}.new"
mv "{words}.new" "{words}"
"""
PATIENCE = 20.0
"""Seconds until a shell that shows nothing is given up."""


class Shell:
    """A shell that completes `edge-icl`, and notes its words instead of running it.

    Args:
        kind: bash, zsh or fish.
        folder: an empty one for its files.
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self._words = folder / "words"
        self.folder = folder / "here"
        for name in ("bin", "here", "fish/completions"):
            (folder / name).mkdir(parents=True)
        wrapper = folder / "bin" / "edge-icl"
        wrapper.write_text(WRAPPER.format(python=sys.executable, program=PROGRAM, words=self._words))
        wrapper.chmod(0o755)
        homes = ("HOME", "ZDOTDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
        environment = os.environ | dict.fromkeys(homes, str(folder)) | {"LC_ALL": "C.UTF-8", "TERM": "xterm"}
        environment["PATH"] = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
        script = subprocess.run(
            [wrapper, "completion", kind], env=environment, capture_output=True, text=True, check=True
        ).stdout
        command = _prepared(kind, folder, script)
        self._process, self._screen = _start(command, environment, self.folder)
        self._read(until="ready> ")

    def words(self, keys: str) -> list[str] | None:
        """Type keys, Tab and Enter; return the words that edge-icl is given, None if it is not started."""
        self._words.unlink(missing_ok=True)
        self._type(keys)
        self._read(quiet=0.15)
        self._type("\t")
        self._read(quiet=0.15, least=0.4)
        self._type("\r")
        self._read(until="ready> ")
        if self._words.exists():
            return self._words.read_text().split("\0")[:-1]
        self._type("\x03")
        self._read(quiet=0.2)
        return None

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._screen)

    def _type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def _read(self, *, until: str = "", quiet: float = 3.0, least: float = 0.0) -> None:
        """Read the screen until it shows a text, or nothing more."""
        begin = last = time.monotonic()
        seen = b""
        while time.monotonic() - begin < PATIENCE:
            if select.select([self._screen], [], [], 0.02)[0]:
                seen += os.read(self._screen, 1 << 16)
                last = time.monotonic()
            done = bool(until) and until.encode() in seen
            if done or (time.monotonic() - last > quiet and time.monotonic() - begin > least):
                return


def _prepared(kind: str, folder: Path, script: str) -> list[str]:
    """Write what the shell reads when it begins, and return its command."""
    if kind == "bash":
        (folder / "rc").write_text(f"PS1='ready> '; bind 'set enable-bracketed-paste off'\n{script}")
        return ["bash", "--noprofile", "--rcfile", str(folder / "rc"), "-i"]
    if kind == "zsh":
        (folder / ".zshrc").write_text(f"PS1='ready> '; autoload -U compinit; compinit -u -D\n{script}")
        return ["zsh", "-i"]
    (folder / "fish" / "completions" / "edge-icl.fish").write_text(script)
    prompt = "function fish_prompt; echo -n 'ready> '; end; set -g fish_autosuggestion_enabled 0\n"
    (folder / "fish" / "config.fish").write_text(prompt)
    return ["fish", "-i"]


def _start(command: list[str], environment: dict[str, str], folder: Path) -> tuple[int, int]:
    """Start a shell at a terminal of its own; return its process and its screen."""
    import fcntl
    import pty
    import struct
    import termios

    process, screen = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe(command[0], command, environment)
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    return process, screen
