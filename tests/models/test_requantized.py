"""A fetched LLM is requantized once, by llama.cpp's quantizer, in a process of its own, or kept as it came."""

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tiny

from edge_icl.errors import FetchError, ModelFileError
from edge_icl.llm import requantize as quantizer
from edge_icl.llm.model import Model
from edge_icl.models import catalogue, hub, location, placed, record
from edge_icl.models.catalogue import DEFAULT_LLM
from edge_icl.models.checked import settle
from edge_icl.models.entry import Entry, HubSource, Requantized, SourceFile
from edge_icl.models.fetching import Fetched, fetch
from edge_icl.models.importing import import_model
from edge_icl.models.requantized import missing
from edge_icl.runtime import child

GGUF = tiny.llama()
NAME = "tiny.Q8_0.gguf"
CHILDREN = {
    "ended its process (SIGABRT)": "import os; os.abort()",
    "ended its process (exit code 3)": "raise SystemExit(3)",
    "wrote nothing for 1 seconds": "import time; time.sleep(600)",
    "failed: the disk is full": """print('{"failed": "llama.cpp\\'s quantizer failed: the disk is full"}')""",
    "wrote other bytes here than it should": """print('{"failed": ""}')""",
}
"""What is said of a child -> its program."""


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The tiny model in Q8_0."""
    folder = tmp_path_factory.mktemp("expected")
    (folder / "tiny.gguf").write_bytes(GGUF)
    quantizer.requantize(folder / "tiny.gguf", folder / NAME, "Q8_0", size=1)
    return (folder / NAME).read_bytes()


@pytest.fixture
def downloads(expected: bytes, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A catalogue with an LLM called tiny that is requantized; what was asked of its hub."""
    entry = Entry(
        name="tiny",
        kind="llm",
        licence="Apache-2.0",
        summary="tiny",
        files=(SourceFile("tiny.gguf", sha256(GGUF), len(GGUF)),),
        sources=(HubSource("someone/tiny", "main", {"tiny.gguf": "tiny.gguf"}),),
        requantized=Requantized(quantization="Q8_0", name=NAME, sha256=sha256(expected), size=len(expected)),
    )
    as_delivered = replace(entry, name="tiny-as-delivered", requantized=None)
    monkeypatch.setattr(catalogue, "CATALOGUE", (*catalogue.CATALOGUE, entry, as_delivered))
    asked: list[str] = []

    def download(source: HubSource, _files: object, folder: Path, _progress: object) -> None:
        if (folder / "tiny.gguf").exists():
            return
        asked.append(source.repo)
        (folder / "tiny.gguf").write_bytes(GGUF)

    monkeypatch.setattr(hub, "download", download)
    return asked


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def leftovers() -> list[str]:
    return [path.name for path in placed.models_folder().glob(".*") if path.suffix != ".lock"]


def fetch_as_delivered(monkeypatch: pytest.MonkeyPatch) -> Fetched:
    """Fetch it where there is no room for more."""
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=30_000))
        return fetch("tiny")


def test_what_is_delivered_is_requantized_and_not_kept(downloads: list[str], expected: bytes) -> None:
    calls = []

    done = fetch("tiny", progress=lambda *call: calls.append(call))

    assert (done.source, done.requantized, done.kept) == ("hub someone/tiny", "Q8_0", None)
    assert downloads == ["someone/tiny"]
    place = location.path("tiny")
    assert (place.name, place.read_bytes()) == (NAME, expected)
    assert len(expected) < len(GGUF)
    assert done.model.digest == sha256(expected)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert sorted(path.name for path in place.parent.iterdir()) == ["model.json", NAME]
    assert record.read(place.parent).source == "hub someone/tiny"
    assert location.verify("tiny") == done.model
    steps = [call for call in calls if call[0] == f"write {NAME}"]
    assert steps[-1] == (f"write {NAME}", len(expected), len(expected))
    assert leftovers() == []


def test_the_requantized_weights_are_the_delivered_ones_but_for_rounding(
    downloads: list[str], tmp_path: Path
) -> None:
    fetch("tiny")
    (tmp_path / "tiny.gguf").write_bytes(GGUF)

    with (
        Model.load(location.path("tiny"), identity="") as new,
        Model.load(tmp_path / "tiny.gguf", identity="") as old,
    ):
        logits = []
        for model in (new, old):
            with model.evaluating() as window:
                window.empty()
                logits.append(np.array(window.append(model.tokenize("taxi to the airport", start=True))))
    assert not np.array_equal(*logits)
    assert np.abs(logits[0] - logits[1]).std() < 0.05 * logits[1].std()
    assert settle(location.find_llm("tiny")).passed
    assert downloads


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cannot choose processors here")
def test_the_bytes_are_the_same_on_one_processor_and_on_all(tmp_path: Path, expected: bytes) -> None:
    (tmp_path / "tiny.gguf").write_bytes(GGUF)
    allowed = os.sched_getaffinity(0)

    os.sched_setaffinity(0, {min(allowed)})
    try:
        quantizer.requantize(tmp_path / "tiny.gguf", tmp_path / NAME, "Q8_0", size=1)
    finally:
        os.sched_setaffinity(0, allowed)

    assert (tmp_path / NAME).read_bytes() == expected


def test_a_program_that_python_is_inside_of_requantizes_too(
    downloads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "command", lambda _: None)

    assert fetch("tiny").requantized == "Q8_0"
    assert downloads


@pytest.mark.usefixtures("downloads")
@pytest.mark.parametrize("said", CHILDREN)
def test_where_the_quantizer_fails_the_model_is_kept_as_it_came_and_it_says_why(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(child, "command", lambda _: [sys.executable, "-c", CHILDREN[said]])
    monkeypatch.setattr(quantizer, "PATIENCE", 1)

    done = fetch("tiny")

    assert done.requantized is None
    assert said in str(done.kept)
    assert location.path("tiny").read_bytes() == GGUF
    assert location.verify("tiny") == done.model
    assert leftovers() == []


def test_what_was_kept_for_want_of_room_is_requantized_later_without_a_connection(
    downloads: list[str], expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = fetch_as_delivered(monkeypatch)
    assert done.kept == "it takes 0 MB more on the disk, where 0 MB are free"
    assert done.model.digest == sha256(GGUF)
    downloads.clear()

    assert fetch("tiny") == Fetched(done.model, None)  # what is here is left alone, unless told
    again = fetch("tiny", faster=True)

    assert (again.source, again.requantized, downloads) == (None, "Q8_0", [])
    assert location.path("tiny").read_bytes() == expected
    assert record.read(location.folder("tiny")).source == "hub someone/tiny"
    assert fetch("tiny", faster=True) == Fetched(again.model, None)
    assert leftovers() == []


def test_a_model_stays_as_it_is_where_it_cannot_be_made_faster(
    downloads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fetch_as_delivered(monkeypatch).model
    monkeypatch.setattr(child, "command", lambda _: [sys.executable, "-c", "raise SystemExit(3)"])

    done = fetch("tiny", faster=True)

    assert (done.model, done.requantized) == (model, None)
    assert "exit code 3" in str(done.kept)
    assert location.verify("tiny") == model
    assert leftovers() == []
    assert downloads


def test_an_interrupted_fetch_stops_the_quantizer_and_the_next_one_downloads_nothing(
    downloads: list[str], expected: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"

    def interrupt(stage: str, _done: int, _total: int) -> None:
        if stage.startswith("write") and (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(child, "command", lambda _: [sys.executable, "-c", program])
        with pytest.raises(KeyboardInterrupt):
            fetch("tiny", progress=interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert location.installed() == ()

    assert fetch("tiny").requantized == "Q8_0"
    assert downloads == ["someone/tiny"]
    assert location.path("tiny").read_bytes() == expected
    assert leftovers() == []


CHILD = """
import sys, threading, time
from edge_icl.runtime import child
threading.Thread(target=child.end_with_the_parent, daemon=True).start()
pipe = open({pipe!r}, "wb", buffering=0)
open({target!r}, "w").write("some")
time.sleep(600)
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from edge_icl.llm.requantize import requantize

def die(stage, done, total):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)

source, target, child = sys.argv[1:]
command = [sys.executable, "-c", child]
requantize(Path(source), Path(target), "Q8_0", size=1 << 40, progress=die, command=command)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL, and no named pipes like these")
def test_the_quantizer_ends_with_a_program_that_is_killed(tmp_path: Path) -> None:
    source, target, pipe = tmp_path / "tiny.gguf", tmp_path / NAME, tmp_path / "pipe"
    source.write_bytes(GGUF)
    os.mkfifo(pipe)
    child_program = CHILD.format(pipe=str(pipe), target=str(target))

    with subprocess.Popen([sys.executable, "-c", KILLED, source, target, child_program]) as killed:
        told = pipe.read_bytes()  # until the child that has it open is gone

    assert (killed.returncode, told) == (-signal.SIGKILL, b"")


def test_a_model_of_the_catalogue_is_imported_in_either_quantization(
    downloads: list[str], expected: bytes, tmp_path: Path
) -> None:
    for name, data in (("delivered.gguf", GGUF), ("requantized.gguf", expected)):
        (tmp_path / name).write_bytes(data)
        model = import_model("tiny", tmp_path / name)
        assert location.path("tiny").read_bytes() == data
        assert (missing(model) is None) == (data == expected)
        location.remove("tiny")
    assert downloads == []

    (tmp_path / "other.gguf").write_bytes(tiny.llama(seed=1))
    with pytest.raises(ModelFileError, match="is not the file that the catalogue has for tiny"):
        import_model("tiny", tmp_path / "other.gguf")
    with pytest.raises(ModelFileError, match="is not the file that the catalogue has for tiny-as-delivered"):
        import_model("tiny-as-delivered", tmp_path / "requantized.gguf")


def test_it_can_be_had_as_it_is_delivered(downloads: list[str]) -> None:
    done = fetch("tiny-as-delivered")

    assert (done.requantized, done.kept, downloads) == (None, None, ["someone/tiny"])
    assert location.path("tiny-as-delivered").read_bytes() == GGUF
    assert missing(done.model) is None
    assert fetch("tiny-as-delivered", faster=True) == Fetched(done.model, None)


def test_the_defaults_reference_holds_for_it_as_delivered_and_requantized(models_home: Path) -> None:
    """The digest is one for all machines: it is what this one's llama.cpp writes."""
    assert models_home.exists()
    entry = catalogue.find(DEFAULT_LLM)
    assert entry is not None
    assert entry.requantized is not None

    fetch(DEFAULT_LLM, faster=True)

    model = location.find_llm()
    assert model.digest == entry.requantized.sha256
    assert location.path(DEFAULT_LLM).stat().st_size == entry.requantized.size == entry.installed_size
    assert catalogue.reference(model.digest) == entry.reference
    assert catalogue.reference(str(entry.files[0].sha256)) == entry.reference
    fit = settle(model)
    assert (fit.passed, fit.seen) == (True, ())


def test_a_name_that_the_catalogue_lacks_cannot_be_made_faster() -> None:
    with pytest.raises(FetchError, match="the catalogue has no model mine"):
        fetch("mine", faster=True)
