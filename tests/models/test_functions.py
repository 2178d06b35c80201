"""What a program does with models: the functions of `edge_icl.models`, against a hub on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import tiny
from command import run
from test_fetch import GGUF, HUB, Hub, enter, hub, interrupt_at, leftovers

import edge_icl
from edge_icl import FetchError, InputError, Memory, ModelError, ModelFileError, ModelMissingError, models
from edge_icl.models import catalogue

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["hub"]


def test_fetch_installs_what_is_named_with_progress_and_says_what_is_there(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)
    calls: list[tuple[str, int, int]] = []
    before = models.info("tiny")

    (first,) = models.fetch("tiny", "tiny", progress=lambda *call: calls.append(call))
    (again,) = models.fetch("tiny")

    assert (before.installed, before.path, before.bytes, before.download) == (False, None, None, len(GGUF))
    assert ("fetch tiny.gguf", len(GGUF), len(GGUF)) in calls
    assert (first.source, again.source, first.failures) == ("hub someone/tiny", None, ())
    assert (first.model.name, first.model.kind, first.model.path) == ("tiny", "llm", models.path("tiny"))
    assert first.model.bytes >= len(GGUF)
    assert again.model in models.list_models()


def test_without_a_name_both_defaults_are_fetched(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(catalogue, "CATALOGUE", ())

    with pytest.raises(FetchError, match=catalogue.DEFAULT_LLM):
        models.fetch(progress=lambda *call: asked.append(call))

    assert (hub.requests, asked) == ([], [])


def test_an_exception_in_progress_ends_a_fetch_which_goes_on_later(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)

    with pytest.raises(KeyboardInterrupt):
        models.fetch("tiny", progress=interrupt_at(1 << 20))
    assert not models.info("tiny").installed
    models.fetch("tiny")

    assert [wanted for method, wanted in hub.requests if method == "GET"][-1].startswith("bytes=")
    assert models.info("tiny").installed
    assert leftovers() == []


def test_a_program_imports_ships_and_removes_models_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "some.gguf"
    file.write_bytes(tiny.llama())
    made = models.import_model("mine", file)
    encoder = models.import_model("bert", tiny.bert(tmp_path / "bert"), models.Choices(languages=("en",)))
    models.set_default_llm("mine")

    assert (made.kind, made.download, made.licence, encoder.kind) == ("llm", None, "unknown", "encoder")
    assert models.default_llm() == "mine"
    assert models.info("mine").default
    with Memory.open(tmp_path / "store", encoder=models.path("bert"), model=models.path("mine")) as memory:
        memory.add("a cat", "animal")
        assert memory.languages == ("en",)
    models.verify("bert")
    models.verify(models.path("bert"))

    models.remove("mine")
    assert models.default_llm() == catalogue.DEFAULT_LLM
    assert [one.name for one in models.list_models() if one.installed] == ["bert"]


def test_what_cannot_be_done_is_one_of_the_librarys_errors(tmp_path: Path) -> None:
    models.import_model("bert", tiny.bert(tmp_path / "bert"))
    for act, kind, told in (
        (lambda: models.fetch("al-minilm-l6-v2"), FetchError, "did you mean"),
        (lambda: models.info("nothing"), ModelMissingError, "there is no model nothing"),
        (lambda: models.path("nothing"), ModelMissingError, "there is no model nothing"),
        (lambda: models.remove("nothing"), ModelMissingError, "there is no model nothing"),
        (lambda: models.verify("nothing"), ModelMissingError, "there is no model nothing"),
        (lambda: models.import_model("x", tmp_path / "none"), ModelMissingError, "there is nothing at"),
        (lambda: models.import_model("bert", tmp_path / "bert"), ModelError, "a model bert already"),
        (lambda: models.join("both", ["bert"]), InputError, "cannot be joined"),
        (lambda: models.set_default_llm("bert"), ModelFileError, "is an encoder"),
        (lambda: models.set_default_llm("./x.gguf"), ModelMissingError, "import it first"),
    ):
        with pytest.raises(kind, match=told):
            act()


def test_the_command_line_lists_what_the_function_lists(tmp_path: Path) -> None:
    models.import_model("bert", tiny.bert(tmp_path / "bert"))

    told = json.loads(run("--json", "models", "list").out)

    assert [(one["name"], one["installed"], one["bytes"]) for one in told] == [
        (one.name, one.installed, one.bytes) for one in models.list_models()
    ]


def test_the_functions_are_loaded_when_they_are_asked_for() -> None:
    script = "import sys, edge_icl.models.brief; print('edge_icl.models.functions' in sys.modules)"
    script += "; from edge_icl.models import fetch; print(fetch.__module__, 'huggingface_hub' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert told.split() == ["False", "edge_icl.models.functions", "False"]
    assert set(models.__all__) <= set(dir(models))
    assert all(getattr(models, name).__doc__ for name in models.__all__)
    with pytest.raises(AttributeError):
        models.nothing  # noqa: B018 - to ask for it is the test
    assert edge_icl.ModelError is ModelError
