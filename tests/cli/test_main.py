"""The program around the commands: options, help, errors and exit codes."""

import gc
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest
from campaigns import later
from command import HEAVY, IDS, PROGRAM, at_terminal, content, loaded, process, refused, run, unchanged

import edge_icl
from edge_icl.cli.main import COLLECTED_AFTER
from edge_icl.cli.program import COMMANDS

pytest_plugins = ["cli_fixtures"]


def test_the_version_is_the_packages() -> None:
    assert process("--version").out == f"edge-icl {edge_icl.__version__}\n"


def test_help_names_every_command_and_exit_code() -> None:
    text = run("--help").out

    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert all(f"\n    {code} " in text for code in (0, 1, 2, 3, 130, 141))


def test_without_a_command_it_says_how_to_begin_on_one_screen() -> None:
    ran = at_terminal()

    assert (ran.code, ran.err) == (0, "")
    assert len(ran.out.splitlines()) < 24
    assert max(map(len, ran.out.splitlines())) <= 80
    assert all(
        words in ran.out for words in ("edge-icl models fetch", "edge-icl add", "edge-icl ask", "--help")
    )
    refused(run("-v"), "missing command", code=2)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does_with_an_example(command: str) -> None:
    ran = run(command, "--help")

    assert ran.code == 0
    assert f"Usage: edge-icl {command} " in ran.out
    assert command in ("models", "stores") or "For example:\n" in ran.out


@pytest.mark.parametrize(
    ("group", "commands"),
    [
        ("models", ("list", "fetch", "import", "default", "verify", "remove", "path")),
        ("stores", ("list", "remove", "rename")),
    ],
)
def test_every_command_of_a_group_has_an_example(group: str, commands: tuple[str, ...]) -> None:
    for command in commands:
        assert f"edge-icl {group} {command}" in run(group, command, "--help").out.split("For example:")[1]


@pytest.mark.usefixtures("bare_home")
def test_the_global_options_may_stand_before_the_command_or_after_it() -> None:
    before = run("--store", "default", "--json", "list")

    assert before.code == 0
    assert run("list", "--json", "--store", "default") == before
    assert run("--store", "nowhere", "list", "--store", "default", "--json") == before


@pytest.mark.parametrize(
    "line",
    [
        "list --nope",
        "list --limit x",
        "models",
        "models nope",
        "add",
        "ask",
        "init --seed ab",
    ],
)
def test_wrong_usage_is_one_sentence_that_names_the_help(line: str) -> None:
    refused(run(*line.split()), "--help", code=2)


def test_under_json_an_error_is_one_json_object(own_home: Path) -> None:
    ran = run("--json", "list")

    assert (ran.code, ran.out) == (1, "")
    assert json.loads(ran.err) == {
        "error": f"there is no store at {own_home}/stores/default; make it with `edge-icl init`",
        "type": "StoreNotFoundError",
        "committed": False,
    }
    assert json.loads(run("list", "--nope", "--json").err)["type"] == "UsageError"


def test_verbose_shows_where_an_error_came_from() -> None:
    ran = run("-v", "list")

    assert "Traceback" in ran.err
    assert ran.err.splitlines()[-1].startswith("edge-icl: error: there is no store")


@pytest.mark.usefixtures("bare_home")
def test_what_the_system_refuses_is_no_traceback() -> None:
    with mock.patch("edge_icl.memory.Memory.open", side_effect=OSError(5, "Input/output error", "/some/file")):
        refused(run("list"), "/some/file: input/output error")
    with mock.patch("edge_icl.memory.Memory.open", side_effect=MemoryError):
        refused(run("list"), "not enough memory")


@pytest.mark.usefixtures("bare_home")
def test_a_library_that_cannot_be_loaded_is_no_traceback(tmp_path: Path) -> None:
    reason = "libgomp.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "numpy.py").write_text(
        f"try:\n    raise ImportError({reason!r})\nexcept ImportError as error:\n"
        "    raise ImportError('\\n\\nIMPORTANT:\\nREAD THIS') from error\n"
    )
    with mock.patch.dict("os.environ", PYTHONPATH=str(tmp_path)):
        refused(process("list"), f"error: a library cannot be loaded: {reason}; install")


@pytest.mark.usefixtures("bare_home")
def test_a_closed_pipe_ends_the_program_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "list"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.usefixtures("bare_home")
def test_a_full_disk_behind_stdout_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "list"], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert done.returncode == 1
    assert done.stderr.startswith(b"edge-icl: error: the output cannot be written: no space left on device\n")
    assert done.stderr.count(b"\n") == 1


def test_ctrl_c_ends_the_program_with_one_line(home: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, "add", "--file", "-"]
    with (
        unchanged(home),
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A test run in the background of a shell ignores Ctrl-C, and its children would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
        ) as running,
    ):
        assert running.stdin is not None
        _wait_until_it_reads(running.pid)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate()

    assert (running.returncode, out) == (130, b"")
    assert err == b"edge-icl: error: interrupted\n"


def _wait_until_it_reads(pid: int) -> None:
    """Return when the process sleeps in a read of its stdin: then all of it is imported."""
    stack = Path(f"/proc/{pid}/wchan")
    if not stack.exists():
        pytest.skip("needs /proc")
    while "pipe" not in stack.read_text():
        time.sleep(0.01)


@pytest.mark.parametrize(
    "line",
    [
        "--version",
        "--help",
        "list",
        "show ID",
        "forget ID --yes --no-similar",
        "labels",
        "labels --set yes",
        "labels --rename travel trips",
        "list --output travel --match uber",
        "status",
        "verify",
    ],
)
@pytest.mark.usefixtures("bare_home")
def test_what_needs_no_model_loads_nothing_heavy(line: str) -> None:
    found = loaded(*line.replace("ID", IDS["Printer paper"]).split())

    assert sorted(found & HEAVY) == []
    assert "numpy" not in found or not line.startswith("--")


def test_circles_are_looked_for_less_often_in_a_process_of_its_own_alone() -> None:
    script = "import gc, sys; from edge_icl.cli.main import main; main(); print(gc.get_threshold()[0])"
    before = gc.get_threshold()

    told = subprocess.run(
        [sys.executable, "-c", script, "--version"], capture_output=True, text=True, check=True
    )

    assert told.stdout.splitlines()[1] == str(COLLECTED_AFTER)
    assert run("--version").code == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


ELSEWHERE = (
    *("answer.prompting", "answer.calibration", "llm.context", "llm.grammar", "llm.generate", "llm.score"),
    *("access.verification", "changes", "forms", "results.changed", "store.plan", "store.writer"),
    *("cli.batches", "cli.formats.format", "cli.formats.table", "cli.partial", "cli.teaching"),
)
"""What other commands need, a change, a file of questions, or an answer that the model has a part in."""


@pytest.mark.usefixtures("bare_home")
def test_a_question_that_was_taught_loads_nothing_but_what_reads_the_store() -> None:
    found = loaded("ask", "Printer paper")

    assert sorted(found & HEAVY) == []
    assert sorted(found & {"filelock", *(f"edge_icl.{name}" for name in ELSEWHERE)}) == []


@pytest.mark.usefixtures("home")
def test_an_answer_without_the_model_loads_the_encoder_and_nothing_of_the_model() -> None:
    found = loaded("ask", "Taxi downtown", "--ask-model", "never")

    assert sorted(found & HEAVY) == ["onnxruntime", "simsimd", "tokenizers"]
    assert sorted(found & {"filelock", *(f"edge_icl.{name}" for name in ELSEWHERE)}) == []


@pytest.mark.usefixtures("home")
def test_characters_that_the_terminal_lacks_are_escaped() -> None:
    assert run("add", "火锅", "food").code == 0
    with mock.patch.dict("os.environ", PYTHONIOENCODING="ascii"):
        assert "\\u706b\\u9505" in process("list").out
        found = [json.loads(line)["input"] for line in process("list", "--json").out.splitlines()]
    assert "火锅" in found


@pytest.mark.usefixtures("home")
def test_an_example_cannot_command_the_terminal() -> None:
    run("add", "red \x1b[31m alert", "office")

    assert "\x1b" not in at_terminal("list").out
    assert "\x1b" in run("list", "--json").out.encode().decode("unicode_escape")


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "--version",
        "list",
        "list --json",
        "show ID",
        "status",
        "search taxi",
        "ask taxi",
        later("ask taxi --explain"),
        "export",
        "export --format csv",
        "verify",
        "verify --deep --json",
        "doctor",
        "models list",
        "add Tram travel",
        "fix ID travel",
        "labels",
        "labels --set yes",
        "labels --rename travel trips",
        "check",
        "forget ID --yes",
        "init --task x --store new",
        "completion bash",
    ],
)
@pytest.mark.parametrize("both", [False, later(True, id="stdout and stderr")])
def test_whoever_leaves_before_the_output_is_read_hears_no_complaint(home: Path, line: str, both: bool) -> None:
    """A change that was to be made is made: the command was not told to stop."""
    store = home / "stores" / "default"
    before = content(store)
    reader, writer = os.pipe()
    os.close(reader)
    args = line.replace("ID", IDS["Printer paper"]).split()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *args],
        stdout=writer,
        stderr=writer if both else subprocess.PIPE,
        check=False,
        timeout=120,
    )
    os.close(writer)

    assert done.returncode == 141
    assert not done.stderr
    changed = {path: data for path, data in content(store).items() if not path.startswith("cache")}
    assert (changed != before) == (
        args[0] in {"add", "fix", "forget"} or {"--set", "--rename"} & {*args} != set()
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_shows_again_what_is_typed_when_a_passphrase_was_not_given(home: Path, number: int) -> None:
    pty = pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    keyboard, terminal = pty.openpty()
    typing = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "init", "--encrypt", "--store", "new"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509 - makes it the terminal
    )
    shown = b""
    while b"passphrase" not in shown or termios.tcgetattr(terminal)[3] & termios.ECHO:
        assert typing.poll() is None
        if select.select([keyboard], [], [], 0.1)[0]:
            shown += os.read(keyboard, 1000)

    typing.send_signal(number)

    assert typing.wait(60) == 128 + number
    assert termios.tcgetattr(terminal)[3] & termios.ECHO
    os.close(terminal)
    os.close(keyboard)
    assert not (home / "stores" / "new").exists()
