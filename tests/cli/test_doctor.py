"""`edge-icl doctor` finds what is wrong with a machine and says what to do; `status` says so at a glance."""

import json
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
import tiny
from campaigns import later
from command import Screen, at_terminal, content, refused, run
from repository import SUPPORT

from edge_icl.cli import checks, machine
from edge_icl.cli.main import main
from edge_icl.cli.tables import counted
from edge_icl.llm import build, native, trial
from edge_icl.models import catalogue, checked, location
from edge_icl.runtime.cores import usable_cores

pytest_plugins = ["cli_fixtures"]

LLM = "smollm2-135m-instruct"

usage = shutil.disk_usage


def found(level: str) -> dict[str, str]:
    """What doctor says of this level: detail and remedy."""
    told = json.loads(run("doctor", "--json").out)
    assert told["ok"] == (not any(check["level"] == "problem" for check in told["checks"]))
    return {check["detail"]: check["remedy"] for check in told["checks"] if check["level"] == level}


def test_a_machine_that_is_in_order_has_no_problem_and_is_left_as_it_is(home: Path) -> None:
    tidy(home)
    before = content(home)
    ran = run("doctor")

    assert (ran.code, ran.out.splitlines()[-1], ran.err) == (0, "everything is in order", "")
    assert "smollm2-135m-instruct is as it was installed" in ran.out
    assert found("problem") == {}
    assert json.loads(run("status", "--json").out)["problems"] == []
    assert run("status").out.endswith("in order   yes\n")
    assert content(home) == before


def test_a_model_that_could_be_faster_is_a_note_with_the_command_that_makes_it_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidy(home)
    assert not any(LLM in detail for detail in found("note"))
    entry = catalogue.find(LLM)
    assert entry is not None
    here = replace(entry.files[0], sha256=location.find_llm().digest)
    monkeypatch.setattr(catalogue, "CATALOGUE", (replace(entry, files=(here,)), *catalogue.CATALOGUE[1:]))

    detail = f"{LLM} has its weights as they were delivered: with Q8_0 it is faster"
    remedy = f"requantize them (few answers change): edge-icl models fetch {LLM} --faster"
    assert found("note")[detail] == remedy
    assert run("doctor").code == 0


def tidy(home: Path) -> None:
    """Give the folders the modes that edge-icl itself gives them."""
    for folder in (home / "stores", home / "stores" / "default"):
        folder.chmod(0o700)


def test_missing_models_are_a_problem_with_the_command_that_brings_them(bare_home: Path) -> None:
    tidy(bare_home)
    problems = found("problem")

    assert run("doctor").code == 1
    assert set(problems.values()) == {
        "fetch it once: edge-icl models fetch smollm2-135m-instruct",
        "fetch it once: edge-icl models fetch all-minilm-l6-v2",
    }
    assert json.loads(run("status", "--json").out)["problems"] == [
        "the encoder is not ready",
        "the model is not ready",
    ]
    told = "no: the encoder is not ready; the model is not ready; see edge-icl doctor"
    assert run("status").out.endswith(f"in order   {told}\n")


def test_a_damaged_model_is_a_problem(home: Path) -> None:
    tidy(home)
    graph = home / "models" / "all-minilm-l6-v2" / "model.onnx"
    data = graph.read_bytes()
    graph.unlink()
    graph.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    assert found("problem") == {
        f"{graph} is not what was installed": "fetch it again: edge-icl models fetch all-minilm-l6-v2"
    }


def test_a_store_that_others_may_read_is_a_problem_until_the_remedy(home: Path) -> None:
    tidy(home)
    store = home / "stores" / "default"
    store.chmod(0o755)
    problems = found("problem")

    assert problems == {f"other users may look into {store}": f"chmod 700 {store}"}
    assert os.system(problems[f"other users may look into {store}"]) == 0
    assert found("problem") == {}


def test_what_an_edit_left_behind_is_a_problem(home: Path) -> None:
    tidy(home)
    (home / "editing").mkdir()

    assert list(found("problem")) == [f"an edit that was killed has left its example in {home}/editing"]


@pytest.mark.usefixtures("home")
def test_a_full_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(path)._replace(free=999_999))

    assert any(detail.startswith("only 1000.0 kB free") for detail in found("problem"))


@pytest.mark.usefixtures("home")
def test_no_compiler_and_an_idle_extension_are_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(machine, "flags", lambda: {"avx2", "avx512f"})
    monkeypatch.setattr(machine, "features", lambda _: {"AVX2"})
    notes = found("note")

    assert list(notes) == [
        "none, so llama.cpp cannot be compiled here",
        "llama.cpp does not use AVX512, which the processor has: answers take longer",
    ]
    assert all(notes.values())


@pytest.mark.usefixtures("home")
def test_a_llama_cpp_for_all_processors_needs_no_compiler_and_says_which_variant_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    for name in ("haswell", "zen4"):
        (tmp_path / f"libggml-cpu-{name}.so").touch()
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(tmp_path))
    monkeypatch.setattr(native, "variant", lambda: "haswell")

    details = found("ok")

    assert "none, and none is needed: llama.cpp has variants for all processors" in details
    assert any(detail.endswith("; of its 2 variants, haswell fits this processor best") for detail in details)


def test_before_the_first_question_status_says_that_nothing_was_checked_and_doctor_checks(
    unchecked: Path,
) -> None:
    tidy(unchecked)
    assert "; not checked yet: the first ask does\n" in run("status").out
    before = json.loads(run("status", "--json").out)
    assert before["check"] == {"state": "unchecked", "extra_buffers": None, "seen": []}

    told = run("doctor").out

    assert "device: processor, " in told
    assert "; checked\n" in told
    assert "; checked\n" in run("status").out
    after = json.loads(run("status", "--json").out)
    assert after["check"] == {"state": "passed", "extra_buffers": True, "seen": []}
    assert run("models", "verify").code == 0


@pytest.fixture
def unchecked(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a tiny model of the default's name, which no process has checked."""
    file = home / "tiny.gguf"
    file.write_bytes(tiny.llama())
    monkeypatch.setattr(catalogue, "CATALOGUE", ())
    run("models", "remove", LLM, "--yes")
    assert run("models", "import", LLM, str(file)).code == 0
    (home / "models" / LLM / "check.json").unlink()
    monkeypatch.setattr(checked, "_settled", {})
    return home


def break_machine(monkeypatch: pytest.MonkeyPatch, kind: str, when: str) -> None:
    """Have every further check meet a llama.cpp that computes wrongly."""
    child = str(SUPPORT / "faulty.py")
    monkeypatch.setattr(trial, "_command", lambda: [sys.executable, child, kind, when])
    monkeypatch.setattr(build, "gpus", lambda: ("cuda",) if when == "gpu" else ())


@pytest.mark.parametrize(
    ("when", "kernels"),
    [
        later("amx", "llama.cpp's kernels for AMX"),
        later("extra", "llama.cpp's extra buffers"),
        ("gpu", "the GPU"),
    ],
)
def test_what_computes_wrongly_is_not_used_and_that_is_told(
    unchecked: Path, monkeypatch: pytest.MonkeyPatch, when: str, kernels: str
) -> None:
    tidy(unchecked)
    break_machine(monkeypatch, "again", when)
    text = (
        f"processor, {counted(usable_cores(), 'thread')}; checked without {kernels}, "
        "with which it computes wrongly: the same question got other logits when it came again"
    )

    assert run("ask", "Taxi downtown", "-v").err.splitlines()[0] == f"edge-icl: device: {text}"
    assert f"device     {text}\n" in run("status").out
    assert json.loads(run("status", "--json").out)["check"]["extra_buffers"] == (when == "gpu")
    assert found("note")[text] == "answers are right this way, and may take longer"
    assert found("problem") == {}
    break_machine(monkeypatch, "none", "always")
    assert found("note") == {}  # a helping setting is looked at anew: the machine may have been repaired


@pytest.mark.usefixtures("unchecked")
def test_the_check_is_a_stage_of_the_first_question_alone() -> None:
    assert re.search(r"\bcheck \d", run("ask", "-v", "Taxi downtown").err)
    assert not re.search(r"\bcheck \d", run("ask", "-v", "Taxi downtown").err)


def test_a_machine_that_computes_wrongly_however_it_is_told_to_is_a_problem(
    unchecked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidy(unchecked)
    break_machine(monkeypatch, "nan", "always")
    told = f"llama.cpp computes {LLM} wrongly on this machine: logits are not finite numbers"

    refused(run("ask", "Taxi downtown"), told, "edge-icl doctor")
    problems = found("problem")
    assert list(problems) == [told]
    assert "CMAKE_ARGS=-DGGML_NATIVE=OFF pip install" in problems[told]
    assert "; computes wrongly: logits are not finite numbers\n" in run("status").out
    assert json.loads(run("status", "--json").out)["check"]["state"] == "failed"
    assert (
        "no: llama.cpp computes the model wrongly on this machine; see edge-icl doctor\n" in run("status").out
    )


def test_llama_cpp_tells_what_it_uses_of_the_processor() -> None:
    told = "CPU : SSE3 = 1 | AVX2 = 1 | AVX512 = 0 | OPENMP = 1 | CUDA : ARCHS = 890 | "

    assert machine.features(told) == {"SSE3", "AVX2"}


def test_other_stores_are_named_by_status(bare_home: Path) -> None:
    shutil.copytree(bare_home / "stores" / "default", bare_home / "stores" / "work")

    assert "other stores  work" in run("status").out
    assert json.loads(run("status", "--json").out)["stores"] == ["default", "work"]


@pytest.mark.usefixtures("bare_home")
@pytest.mark.parametrize(
    ("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_and_can_be_refused(
    more: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    out, err = Screen(), Screen()
    with mock.patch.multiple("sys", stdout=out, stderr=err):
        main(["list"])
        main(["show", "0000"])

    assert ("\x1b[1mid " in out.getvalue()) == coloured
    assert ("\x1b[31m\x1b[1merror:\x1b[0m" in err.getvalue()) == coloured
    assert "\x1b" not in run("list").out + run("show", "0000").err


@pytest.mark.usefixtures("home")
def test_verbose_tells_the_times_of_the_stages() -> None:
    assert run("add", "Taxi", "travel", "-v").err.startswith("edge-icl: time: embed ")
    assert " s, total " in at_terminal("verify", "-v").err
    assert run("list").err == ""


def test_every_level_has_its_colour() -> None:
    from edge_icl.cli.commands.doctor import COLOURS

    assert set(COLOURS) == set(checks.Level)


def test_a_removal_that_was_cut_off_is_told_and_list_wipes_it(bare_home: Path) -> None:
    stores = bare_home / "stores"
    (stores / "default").rename(stores / ".work.0123abcd.removed")

    assert f"{stores}/.work.0123abcd.removed is what a removal of a store left" in run("doctor").out
    run("stores", "list")

    assert [*stores.iterdir()] == []
