"""Closed, full and abandoned standard streams: one sentence at most, the right exit code, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import IDS, PROGRAM, content

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")

LINES = (
    "--help",
    "--version",
    "list",
    "list --json",
    "show ID",
    "status",
    "status --json",
    "search taxi",
    "ask taxi",
    "ask taxi --explain",
    "ask -",
    "export",
    "export --format csv",
    "export --file NEW",
    "verify",
    "doctor",
    "models list",
    "models verify",
    "models path all-minilm-l6-v2",
    "add Tram travel",
    "add --file -",
    "search -",
    "fix ID travel",
    "labels --rename office travel --yes",
    "forget ID --yes",
    "forget ID --yes --json",
    "forget ID",
    "forget ID --dry-run",
    "init --store new",
    "completion bash",
    "mcp",
    "nonsense",
)
STREAMS = ("<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full")
MADE = {
    "add Tram travel",
    "fix ID travel",
    "labels --rename office travel --yes",
    "forget ID --yes",
    "forget ID --yes --json",
}


@pytest.mark.parametrize("line", LINES)
def test_whatever_becomes_of_the_streams_a_command_ends_in_order(
    home: Path, tmp_path: Path, line: str, campaign: bool
) -> None:
    store = home / "stores" / "default"
    before = content(store)
    new = tmp_path / "new"
    command = line.replace("ID", IDS["Printer paper"]).replace("NEW", str(new))
    each = 1 if campaign else 17
    for streams in STREAMS[LINES.index(line) % each :: each]:
        new.unlink(missing_ok=True)
        told = tmp_path / "told"
        told.touch()
        shell = f'exec "$0" -W error -W ignore::ResourceWarning -c "$1" {command} <"$2" 2>>"$3" {streams}'

        done = subprocess.run(
            ["bash", "-c", shell, sys.executable, PROGRAM, os.devnull, told],
            stdout=subprocess.PIPE,
            check=False,
            timeout=120,
        )

        err = told.read_text()
        told.unlink()
        lost = ">&-" in streams.split() or (
            ">/dev/full" in streams.split() and line != "mcp"
        )  # it says nothing
        assert "Traceback" not in err, (streams, err)
        assert "Exception ignored" not in err, (streams, err)
        assert done.returncode in {0, 1, 2}, (streams, done.returncode, err)
        if lost:
            assert done.returncode == (2 if line == "nonsense" else 1), (streams, err)
        if done.returncode and "2>" not in streams:
            errors = [one for one in err.splitlines() if '"error"' in one or one.startswith("edge-icl: error")]
            assert len(errors) == 1, (streams, err)
        if line not in MADE:
            kept = {path: data for path, data in content(store).items() if not path.startswith("cache")}
            assert kept == {path: data for path, data in before.items() if not path.startswith("cache")}
