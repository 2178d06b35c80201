"""A model is checked once on a machine, in a process of its own, and used in a way that passed."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny
from campaigns import some
from faulty import Faulty
from repository import SUPPORT

from edge_icl.answer.engines import Engines
from edge_icl.errors import ModelComputationError, ModelFileError
from edge_icl.llm import build, native, trial
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.models import checked
from edge_icl.models.checked import Fit, settle
from edge_icl.models.location import InstalledLlm, find_llm, installed
from edge_icl.models.placed import models_folder

CHILD = SUPPORT / "faulty.py"
SEEN = {
    "parts": "in parts got other logits than whole",
    "again": "other logits when it came again",
    "state": "other logits after a saved state",
    "anew": "other logits when all was evaluated again",
    "labels": "got other scores when it came again",
    "chance": "where chance gives",
    "nan": "not finite numbers",
    "abort": "llama.cpp ended its process (SIGABRT: kernels.cpp:7: GGML_ASSERT(rows == 8) failed)",
    "hang": "llama.cpp gave no sign of life for 1 seconds",
}

Machine = Callable[..., None]


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests have settled."""
    monkeypatch.setattr(checked, "_settled", {})


@pytest.fixture
def model(tmp_path: Path) -> InstalledLlm:
    """A tiny model, given by its path."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny.llama())
    (tmp_path / "model.json").write_text("{}")  # whatever this is, nothing of ours belongs beside it
    return find_llm(str(path))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """What makes this machine's llama.cpp wrong in a way, with the settings where it is."""

    def wrong(kind: str, when: str = "always") -> None:
        monkeypatch.setattr(trial, "_command", lambda: [sys.executable, str(CHILD), kind, when])
        monkeypatch.setattr(build, "gpus", lambda: ("cuda",) if when in ("gpu", "either") else ())
        if kind == "hang":
            monkeypatch.setattr(trial, "PATIENCE", 1)

    return wrong


ASKED = EngineOptions(threads=1, context=512)


def settled(model: InstalledLlm, **more: object) -> Fit:
    return settle(model, ASKED, **more)


def file_of(model: InstalledLlm) -> Path:
    return models_folder() / ".checks" / f"{model.digest}.json"


def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every further try fail: only a kept result will do."""
    monkeypatch.setattr(trial, "guarded", lambda *_, **__: pytest.fail("it was tried again"))


def test_what_passes_is_used_as_asked_and_tried_once(
    model: InstalledLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = settled(model)

    assert (fit.passed, fit.gpu_layers, fit.extra_buffers, fit.seen, fit.guarded) == (
        True,
        None,
        True,
        (),
        True,
    )
    no_child(monkeypatch)
    assert settled(model) == fit
    monkeypatch.setattr(checked, "_settled", {})  # as in another process
    assert settled(model) == fit
    assert stat.S_IMODE(file_of(model).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(model).parent.stat().st_mode) == 0o700
    assert installed() == ()


@pytest.mark.parametrize("kind", some(SEEN, "parts", "nan", "abort"))
def test_what_computes_wrongly_in_every_setting_is_refused_with_what_was_seen(
    model: InstalledLlm, machine: Machine, kind: str
) -> None:
    machine(kind)

    with pytest.raises(ModelComputationError) as refused:
        settled(model)

    assert SEEN[kind] in str(refused.value)
    assert "llama.cpp computes tiny wrongly on this machine" in str(refused.value)
    kept = checked.known(model, ASKED)
    assert kept is not None
    assert not kept.passed
    assert len(kept.seen) == 2


def test_a_failure_is_tried_again(model: InstalledLlm, machine: Machine) -> None:
    machine("nan")
    with pytest.raises(ModelComputationError):
        settled(model)
    machine("none")

    assert settled(model).passed


@pytest.mark.parametrize(
    ("when", "layers", "extra", "tries"),
    [("extra", None, False, 1), ("gpu", 0, True, 2), ("either", 0, False, 3)],
)
@pytest.mark.parametrize("kind", ["again", "abort"])
def test_the_first_setting_that_helps_is_used(
    model: InstalledLlm, machine: Machine, kind: str, when: str, layers: int | None, extra: bool, tries: int
) -> None:
    machine(kind, when)

    fit = settled(model)

    assert (fit.passed, fit.gpu_layers, fit.extra_buffers) == (True, layers, extra)
    assert len(fit.seen) == tries
    assert all(SEEN[kind] in seen for seen in fit.seen)


def test_engines_load_the_model_in_the_way_that_passed(
    model: InstalledLlm, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("again", "either")
    library = Faulty(native.llama(), "again", "either")
    monkeypatch.setattr(native._llama, "_module", library)
    told = []
    engines = Engines(
        None, model=str(model.path), options=EngineOptions(threads=1), progress=lambda *at: told.append(at[0])
    )

    name, loaded = engines.model()

    assert name == "tiny"
    assert library.loaded == [(0, False)]
    assert (loaded.extra_buffers, loaded.gpu_layers) == (False, 0)
    assert set(told) == {"check", "load tiny"}
    engines.close()


def test_whatever_may_change_the_figures_has_it_checked_again(
    model: InstalledLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(model)

    assert checked.known(model, ASKED)
    assert checked.known(model, ASKED._replace(gpu_layers=0)) is None
    assert checked.known(model, ASKED._replace(threads=2)) is None
    assert checked.known(InstalledLlm(model.name, model.path, "0" * 64), ASKED) is None
    monkeypatch.setenv("GGML_SOMETHING", "1")
    assert checked.known(model, ASKED) is None
    monkeypatch.delenv("GGML_SOMETHING")
    for part in ("_libraries", "_processor"):
        with monkeypatch.context() as patch:
            patch.setattr(build, part, list)
            assert checked.known(model, ASKED) is None
    assert checked.known(model, ASKED)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b'{"results": 3}',
        b"[" * 100_000,
        lambda text: text.replace(b"true", b"3"),
        lambda text: text.replace(b'"gpu_layers": null', b'"gpu_layers": -1'),
        lambda text: text.replace(b'"seen": []', b'"seen": [1]'),
        lambda text: text.replace(b'"seen"', b'"unseen"'),
        lambda text: text.replace(b'"amx"', b'"more": 1, "amx"'),
    ],
)
def test_a_damaged_result_counts_as_none(
    model: InstalledLlm, monkeypatch: pytest.MonkeyPatch, damage: bytes | Callable[[bytes], bytes]
) -> None:
    settled(model)
    place = file_of(model)
    place.write_bytes(damage if isinstance(damage, bytes) else damage(place.read_bytes()))
    monkeypatch.setattr(checked, "_settled", {})

    assert checked.known(model, ASKED) is None
    assert settled(model).passed
    monkeypatch.setattr(checked, "_settled", {})
    assert checked.known(model, ASKED)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_where_nothing_can_be_written_the_process_keeps_it(
    model: InstalledLlm, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_home.parent.mkdir(exist_ok=True)
    own_home.write_text("in the way, also of root")

    fit = settled(model)

    assert fit.passed
    no_child(monkeypatch)
    assert settled(model) == fit
    assert own_home.read_text() == "in the way, also of root"


def test_several_threads_and_settings_leave_one_whole_file(model: InstalledLlm) -> None:
    fit = Fit(passed=True, gpu_layers=None, extra_buffers=True, amx=False, seen=(), guarded=True)
    workers = [
        threading.Thread(target=checked.keep, args=(model, fit, ASKED._replace(gpu_layers=n)))
        for n in range(40)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [path.name for path in file_of(model).parent.iterdir()] == [file_of(model).name]
    assert 1 <= len(json.loads(file_of(model).read_text())["results"]) <= 32


def test_ending_the_check_ends_the_child(model: InstalledLlm, machine: Machine) -> None:
    machine("hang")

    class EnoughError(Exception):
        pass

    def enough(stage: str, done: int, total: int) -> None:
        if total:
            raise EnoughError

    before = threading.active_count()
    with pytest.raises(EnoughError):
        settled(model, progress=enough)
    assert checked.known(model, ASKED) is None
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(5)
    assert threading.active_count() <= before


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_hanging_child_does_not_outlive_its_parent(model: InstalledLlm, tmp_path: Path, end: int) -> None:
    told = tmp_path / "pid"
    script = (
        "import sys; from edge_icl.llm import trial; from edge_icl.models import checked, location\n"
        f"trial._command = lambda: [sys.executable, {str(CHILD)!r}, 'hang']\n"
        f"checked.settle(location.find_llm({str(model.path)!r}))"
    )
    environment = os.environ | {"FAULTY_PID": str(told), "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL)
    wait_until(lambda: told.exists() and told.read_text())
    child = Path("/proc") / told.read_text()
    assert b"faulty" in (child / "cmdline").read_bytes()

    parent.send_signal(end)

    assert parent.wait(30) != 0
    wait_until(lambda: not child.exists())


def wait_until(true: Callable[[], object]) -> None:
    """Wait for something that takes a moment."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_llama_cpp_refuses_is_refused_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(tiny.llama(more={"general.architecture": "nonsense"}))

    with pytest.raises(ModelFileError, match="unknown model architecture: 'nonsense'"):
        settled(find_llm(str(path)))


@pytest.mark.parametrize("command", [["/nowhere/python"], [sys.executable, "-c", "raise SystemExit(3)"]])
def test_where_no_child_can_be_started_it_is_checked_here(
    model: InstalledLlm, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr(trial, "_command", lambda: command)

    fit = settled(model)

    assert (fit.passed, fit.guarded) == (True, False)


@pytest.mark.parametrize(("name", "value"), [("frozen", True), ("executable", "/usr/bin/blender")])
def test_a_program_that_is_no_python_is_not_started_again(
    model: InstalledLlm, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(sys, name, value, raising=False)

    assert not settled(model).guarded


def test_a_program_in_one_file_is_checked_once_though_it_unpacks_at_each_start(
    model: InstalledLlm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program, library = tmp_path / "program", tmp_path / "lib" / "libllama.so"
    library.parent.mkdir()
    for file in (program, library):
        file.write_text("built")
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(library.parent))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    checked.keep(model, Fit(True, None, True, False, (), False), ASKED)

    os.utime(library, (1, 1))
    assert checked.known(model, ASKED)
    os.utime(program, (1, 1))
    assert checked.known(model, ASKED) is None


def test_the_child_is_told_no_passphrase(
    model: InstalledLlm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "secret")
    told = tmp_path / "told"
    look = f"import os; open({str(told)!r}, 'w').write(repr(dict(os.environ)))"
    monkeypatch.setattr(trial, "_command", lambda: [sys.executable, "-c", look])

    settled(model)

    assert "secret" not in told.read_text()
    assert "GGML_NO_BACKTRACE" in told.read_text()
