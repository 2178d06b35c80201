"""No command writes what an encrypted store holds in the clear: every write of its process tree is looked at.

strace shows the bytes of all system calls that write, those of children too. What goes to stdout and stderr is
for the user; everything else must not hold a text, a tag, a source, a vector or the passphrase of the store.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import PROGRAM
from small_encoders import SECOND, imported_encoders, small_encoders
from stores import QUICK
from watch import commands, edge_icl, mcp_calls

from edge_icl import Example, Memory
from edge_icl.store import scratch

__all__ = ["imported_encoders", "small_encoders"]

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("strace"), reason="strace is not installed here"
)

PASSPHRASE, NEW = "Correct-Horse-Battery", "Staple-Of-Another-Kind"
TASK = "Sort the correspondence of Ms Quittenbaum"
EXAMPLES = (
    Example.create(
        "Letter to the Pomegranate Society", "archive-zebra", tags=["tag-marmalade"], source="src-okapi"
    ),
    Example.create("Letter to the Pomegranate Club", "archive-zebra", source="src-okapi"),
    Example.create("Invoice of the Lighthouse Keepers", "payable-lynx", tags=["tag-marmalade"]),
    Example.create("Complaint about the Velvet Curtain", "reply-ibex"),
)
ADDED = Example.create("Telegram from the Saffron Islands", "archive-zebra", tags=["tag-quince"])
SECRETS = (
    *(
        "Pomegranate",
        "Lighthouse",
        "Velvet",
        "Saffron",
        "zebra",
        "lynx",
        "ibex",
        "marmalade",
        "quince",
        "okapi",
    ),
    *("Quittenbaum", "Correct-Horse", "Staple-Of", "Tangerine", "Whose-Letter", "walrus"),
)

WRITING = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg"
MOVING = "mmap,sendfile,copy_file_range,splice,vmsplice"
"""Calls that may write what strace does not show."""


PAGE = Path("/dev/shm") / f"edge-icl-test-{os.getpid()}.html"
"""What `report` is asked to write is for the user to read: it goes into memory here, and all else is seen."""


LABELS = PAGE.with_suffix(".jsonl")
"""The same goes for labels."""


def runs(home: Path, id: str) -> dict[str, list[tuple[list[str], str]]]:
    """Return what every command is called with: words, and what stdin holds."""
    rows = home / "rows.jsonl"
    ask = {"question": "Whose-Letter from Tangerine"}
    return {
        "init": [(["--store", "fresh", "init", "--encrypt", "--task", TASK], "")],
        "add": [
            (["add", ADDED.input, ADDED.output, "--tag", "tag-quince", "--source", "src-okapi"], ""),
            (["add", "--file", str(rows)], ""),
            (
                ["add", "--file", "-"],
                json.dumps({"input": "Card for Tangerine", "output": "reply-ibex"}) + "\n",
            ),
        ],
        "ask": [
            (["ask", "Whose-Letter from Tangerine", "--explain"], ""),
            (["ask", "Whose-Letter from Tangerine", "--labels", "off", "--max-tokens", "3"], ""),
            (["ask", "--file", str(rows)], ""),
        ],
        "stale": [
            (["ask", "--file", str(rows), "--ask-model", "never", "--out", str(LABELS)], ""),
            (["stale", str(LABELS), "--answers-only", "--ask-model", "never"], ""),
        ],
        "learn": [(["learn"], "Whose-Letter from Tangerine\n\nu\narchive\nq\n")],
        "forget": [
            (["forget", "--match", "Pomegranate Club", "--yes", "--dry-run"], ""),
            (["forget", "--match", "Pomegranate Club", "--yes"], ""),
        ],
        "fix": [(["fix", id, "payable-walrus"], "")],
        "edit": [(["edit", id], "")],
        "list": [(["list"], "")],
        "show": [(["show", id], "")],
        "search": [(["search", "Whose-Letter"], "")],
        "labels": [
            (["labels"], ""),
            (["labels", "--set", "yes"], ""),
            (["labels", "--rename", "reply-ibex", "payable-walrus", "--yes"], ""),
        ],
        "check": [
            (["check"], ""),
            (["check", "--file", str(rows)], ""),
            (["check", "--encoder", SECOND], ""),
        ],
        "report": [(["report", "--out", str(PAGE)], "")],
        "status": [(["status"], "")],
        "export": [(["export"], ""), (["export", "--json"], "")],
        "import": [(["--store", "fresh", "import", str(rows)], "")],
        "reencode": [(["reencode", "--encoder", SECOND, "--into", "fresh"], "")],
        "merge": [
            (["--store", "fresh", "init", "--like", "default"], ""),
            (["merge", "default", "--into", "fresh"], ""),
            (["merge", "fresh", "default", "--into", "all"], ""),
        ],
        "verify": [(["verify", "--deep"], "")],
        "passphrase": [(["passphrase"], "")],
        "mcp": [
            (
                ["mcp"],
                mcp_calls(
                    ("add", {"input": ADDED.input, "output": ADDED.output}),
                    ("ask", ask),
                    ("forget_dry_run", {"match": "Pomegranate Club"}),
                ),
            )
        ],
        "stores list": [(["stores", "list"], "")],
        "stores rename": [(["stores", "rename", "default", "other"], "")],
        "stores remove": [(["stores", "remove", "default", "--yes"], "")],
        "models default": [(["models", "default"], ""), (["models", "default", "--reset"], "")],
        "models list": [(["models", "list"], "")],
        "models verify": [(["models", "verify"], "")],
        "models path": [(["models", "path", "all-minilm-l6-v2"], "")],
        "doctor": [(["doctor"], "")],
        "completion": [(["completion", "bash"], "")],
    }


NO_STORE = {"demo", "models fetch", "models import", "models remove"}
"""Commands that know no store; and fetch wants a network."""


@pytest.fixture
def sealed(models_home: Path, small_encoders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose store is encrypted, with an editor that changes the example, and both passphrases known."""
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("EDGE_ICL_NEW_PASSPHRASE", NEW)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)  # so the editor's file is in /dev/shm
    monkeypatch.setenv("EDITOR", "sed -i s/lynx/walrus/")
    with Memory.create(task=TASK, passphrase=PASSPHRASE, stretch=QUICK, shots=2) as memory:
        memory.add_many(EXAMPLES)
    return models_home


def secrets() -> Iterator[bytes]:
    """Yield everything that must not be written: words, and parts of vectors."""
    yield from (word.encode() for word in SECRETS)
    with Memory.open(create=False, passphrase=PASSPHRASE) as memory:
        for vector in memory._opened.store.snapshot().points().vectors:
            yield vector.tobytes()[40:60]


def written(words: list[str], stdin: str, trace: Path) -> tuple[int, list[tuple[str, str, bytes]]]:
    """Run a command; return its exit code, and what its process tree wrote: call, file and bytes."""
    options = [
        "-f",
        "--seccomp-bpf",  # only these calls stop the program, so it is not ten times slower
        "-y",
        "-xx",
        "-s",
        "100000000",
        "-qqq",
        "-e",
        f"trace={WRITING},{MOVING}",
        "-o",
        str(trace),
    ]
    done = subprocess.run(
        ["strace", *options, *edge_icl(*words)],
        input=stdin.encode(),
        capture_output=True,
        check=False,
        timeout=300,
    )
    if b"PTRACE" in done.stderr:
        pytest.skip("strace may not trace here")
    lines = trace.read_text(errors="replace").splitlines()
    return done.returncode, [call for line in lines for call in calls_of(line)]


def calls_of(line: str) -> Iterator[tuple[str, str, bytes]]:
    """Yield what a line of a trace says of files: a write with its bytes, or what moves them unseen."""
    name = re.match(r"\d+ +(\w+)\(", line)
    files = [(number, plain(file)) for number, file in re.findall(r"(\d+)<((?:\\x..|[^>])*)>", line)]
    if name is None or (name[1] == "mmap" and not ("MAP_SHARED" in line and "PROT_WRITE" in line)):
        return
    if name[1] in MOVING.split(","):
        yield from ((name[1], file, b"") for _, file in files)
    elif files and files[0][0] not in ("1", "2"):  # these are the user's own
        data = "".join(re.findall(r'"((?:\\x..)*)"', line))
        yield name[1], files[0][1], bytes.fromhex(data.replace("\\x", ""))


def plain(file: str) -> str:
    """Return a path as strace shows it, in hex or not."""
    return bytes.fromhex(file.replace("\\x", "")).decode() if file.startswith("\\x") else file


def in_memory(file: str) -> bool:
    """Tell whether a file is no file of a disk: a pipe between processes, one in memory, or a terminal."""
    kinds = (
        "pipe:",
        "socket:",
        "anon_inode:",
        "/dev/shm/",
        "/dev/null",
        "/dev/ptmx",
        "/dev/pts/",
        "UNIX",
        "TCP",
    )
    return file.startswith(kinds)


def test_every_command_is_looked_at() -> None:
    assert set(commands()) == set(runs(Path(), "")) | NO_STORE


@pytest.mark.parametrize("name", runs(Path(), ""))
def test_no_command_writes_the_plaintext_of_an_encrypted_store(sealed: Path, tmp_path: Path, name: str) -> None:
    rows = [{"input": "Parcel from Tangerine", "output": "reply-ibex"}]
    (sealed / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with Memory.open(create=False, passphrase=PASSPHRASE) as memory:
        (id,) = [one.id for one in memory.find(match="Lighthouse")]
    known = list(secrets())
    if name == "import":
        words = ["--store", "fresh", "init", "--encrypt"]
        subprocess.run([sys.executable, "-c", PROGRAM, *words], check=True, capture_output=True)

    if name == "edit" and not scratch.in_memory(Path("/dev/shm")):
        pytest.skip("no files are in memory here, and edit says so")

    calls = 0
    for words, stdin in runs(sealed, id)[name]:
        code, found = written(words, stdin, tmp_path / "trace")
        PAGE.unlink(missing_ok=True)
        assert code == 0, words
        calls += len(found)
        for call, file, data in found:
            shown = [secret for secret in known if secret in data]
            assert in_memory(file) or not (shown or call in MOVING), (words, call, file, shown)
    LABELS.unlink(missing_ok=True)
    writers = {"init", "add", "ask", "forget", "fix", "edit", "labels", "import", "verify", "passphrase", "mcp"}
    writers |= {"reencode", "merge"}
    assert calls or name not in writers


def test_the_plaintext_of_a_plain_store_is_seen(
    models_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGE_ICL_PASSPHRASE", raising=False)
    _, found = written(["add", EXAMPLES[0].input, "archive-zebra"], "", tmp_path / "trace")

    seen = {Path(file).parent for _, file, data in found if b"Pomegranate" in data}
    (draft,) = seen  # the first examples make the store, which is renamed into its place
    assert (draft.name, draft.parent.parent) == ("pages", models_home / "stores")
