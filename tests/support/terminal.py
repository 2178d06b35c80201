"""A real terminal in which a command runs, and a user who waits for its prompt before typing.

python terminal.py learn --file F       # types the lines of stdin, each after a prompt
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import time

PROGRAM = "import sys; from edge_icl.cli.main import main; sys.exit(main())"
PATIENCE = 120.0
QUIET = 0.1
"""Seconds without anything new after which a prompt waits for its user."""

PROMPT = re.compile(r"(?:^|[\r\n])[a-z]*> $")
MARKS = re.compile(r"\x1b\[\?2004[hl]\r?")
"""What readline writes to switch pastes in brackets on and off."""


class Terminal:
    """A command at a terminal of its own.

    Args:
        args: of the command.
        lines, columns: the size of the terminal.
    """

    def __init__(self, *args: str, lines: int = 24, columns: int = 80) -> None:
        import pty

        self.shown = ""
        self.process, self._screen = pty.fork()
        if self.process == 0:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            environment = os.environ | {"TERM": "xterm"}
            os.execve(sys.executable, [sys.executable, "-c", PROGRAM, *args], environment)
        self.resize(lines, columns)

    def resize(self, lines: int, columns: int) -> None:
        """Give the terminal another size."""
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def wait(self, text: str = "") -> str:
        """Wait for the prompt, after a text if one is given; return what was shown since the last call."""
        begin = last = time.monotonic()
        seen = ""
        while time.monotonic() - begin < PATIENCE:
            if select.select([self._screen], [], [], 0.02)[0]:
                if not (new := self._read()):
                    return seen
                seen, last = MARKS.sub("", seen + new), time.monotonic()
            elif text in seen and PROMPT.search(seen) and time.monotonic() - last > QUIET:
                return seen
        raise AssertionError(f"no prompt: {seen!r}")

    def until(self, text: str) -> None:
        """Wait until a text is shown, prompt or not."""
        begin = time.monotonic()
        while text not in self.shown:
            assert time.monotonic() - begin < PATIENCE, self.shown
            if select.select([self._screen], [], [], 0.02)[0]:
                self._read()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._screen, keys.encode())

    def say(self, *lines: str) -> str:
        """Type lines, each when the prompt waits for it; return what is shown before the next prompt."""
        seen = ""
        for line in lines:
            self.type(f"{line}\r")
            seen = self.wait()
        return seen

    def end(self, number: int | None = None) -> tuple[int, str]:
        """Wait for the end, after a signal if one is given; return the exit code and what was shown."""
        if number is not None:
            os.kill(self.process, number)
        seen = ""
        while new := self._read():
            seen += new
        _, status = os.waitpid(self.process, 0)
        os.close(self._screen)
        return os.waitstatus_to_exitcode(status), MARKS.sub("", seen)

    def _read(self) -> str:
        """Return what is shown next; nothing at the end."""
        with contextlib.suppress(OSError):
            new = os.read(self._screen, 1 << 16).decode(errors="replace")
            self.shown += new
            return new
        return ""


def main() -> int:
    """Run a command, and type what stdin holds."""
    terminal = Terminal(*sys.argv[1:])
    terminal.wait()
    for line in sys.stdin:
        terminal.say(line.rstrip("\n"))
    code, _ = terminal.end()
    sys.stderr.write(terminal.shown)
    return code


if __name__ == "__main__":
    sys.exit(main())
