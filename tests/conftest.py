"""Fixtures that several test files share."""

import os
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import one_blas_thread  # noqa: F401 - before numpy is loaded
import platformdirs
import pytest
import stores
from filelock import FileLock
from hypothesis import settings
from own_core import own_core

from edge_icl import Memory
from edge_icl.models import bert, convert, location
from edge_icl.models.catalogue import DEFAULT_ENCODER, DEFAULT_LLM
from edge_icl.models.checked import settle
from edge_icl.models.fetching import fetch
from edge_icl.models.installed import GRAPH
from edge_icl.runtime.shared import Shared

# Tests import onnxruntime by themselves; the person who runs them has not agreed to tell its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# Shared machines stall: a slow example is no failure. Not hypothesis's 100 examples, so that the suite
# stays under twenty minutes. `make campaign` runs the second profile.
settings.register_profile("default", deadline=None, max_examples=30)
settings.register_profile("campaign", deadline=None, max_examples=2000)
settings.load_profile("default")

SMALL_FILE = 1 << 16
"""Bytes that are copied rather than linked to."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make campaign` ask for the large sizes of what is sampled in `make test`."""
    parser.addoption("--campaign", action="store_true", help="crashes, kills and corruptions by the hundreds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked so to the campaign."""
    if not config.getoption("--campaign"):
        for item in items:
            if item.get_closest_marker("campaign"):
                item.add_marker(pytest.mark.skip(reason="in a campaign"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say after a campaign how much it did: the sums of what tests counted."""
    if config.getoption("--campaign"):
        totals: Counter[str] = Counter()
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
            totals.update({name: value for name, value in report.user_properties if report.when == "call"})
        terminalreporter.section("campaign")
        for name, total in sorted(totals.items()):
            terminalreporter.line(f"{total:>9,} {name}")


@pytest.fixture(scope="session")
def campaign(pytestconfig: pytest.Config) -> bool:
    """Whether the large sizes were asked for."""
    return pytestconfig.getoption("--campaign")


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Return what takes a name and a number, of which a campaign prints the sums."""
    return lambda name, number: request.node.user_properties.append((name, number))


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Both kinds of store, one after the other, for what `stores` makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "encrypted", request.param == "encrypted")
        yield request.param


@pytest.fixture(autouse=True, scope="session")
def heard_signals() -> None:
    """Hear signals, also in processes that tests start: a shell's `&` and `nohup` have some ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGHUP", "SIGTERM", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test an empty home of its own, so that none can touch the user's."""
    home = tmp_path / "home"
    monkeypatch.setenv("EDGE_ICL_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def core_of_its_own(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a test of real models on one processor, where another process of pytest has the other.

    Not one that takes `all_cores`: processes of its own must run at the same time.
    """
    asks = {"fetched_models", "all_cores"} & {*request.fixturenames} == {"fetched_models"}
    with own_core() if asks else nullcontext():
        yield


@pytest.fixture
def earlier_threads() -> set[threading.Thread]:
    """The threads before the test: servers and event loops of earlier ones may still be ending theirs."""
    return {*threading.enumerate()}


@pytest.fixture
def all_cores() -> None:
    """Have all processors, also for a test of real models."""


@pytest.fixture(autouse=True)
def no_model_left() -> Iterator[None]:
    """See that a test closes its stores: the models of one that it leaves open are there in the next test."""
    yield
    if engines := sys.modules.get("edge_icl.answer.engines"):
        assert not len(engines._encoders) + len(engines._models), "a store is still open"


@pytest.fixture(scope="session")
def fetched_models() -> Path:
    """The folder of both default models, really fetched, once for this user and machine."""
    home = Path(os.environ.get("EDGE_ICL_TEST_MODELS") or platformdirs.user_cache_dir("edge-icl-tests"))
    home.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, FileLock(home / ".lock"):
        patch.setenv("EDGE_ICL_HOME", str(home))
        graph = location.folder(DEFAULT_ENCODER) / GRAPH
        sources = [Path(module.__file__) for module in (bert, convert)]
        if graph.exists() and graph.stat().st_mtime < max(path.stat().st_mtime for path in sources):
            location.remove(DEFAULT_ENCODER)  # made by other code than the code under test
        fetch(DEFAULT_LLM, faster=True)  # as a user gets it today, also where it was fetched before
        fetch(DEFAULT_ENCODER)
        # Checked here, once, rather than by the first question of every test with a home of its own: with the
        # threads that a test has on all processors, and with those that it has on its own.
        settle(location.find_llm())
        with own_core():
            settle(location.find_llm())
        location.assure(location.find_encoder())
    return home / "models"


@pytest.fixture(scope="session")
def kept_models(
    fetched_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Shared[Any]]]:
    """What stores of a process share, with both default models in it: a store stays open."""
    kept: dict[str, Shared[Any]] = {"_encoders": Shared(), "_models": Shared()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
        with sharing(kept), own_core():
            memory = Memory.create(tmp_path_factory.mktemp("kept") / "store")
            memory.load()
    with memory:
        yield kept


@pytest.fixture
def shared_models(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have both default models loaded, and empty, as by another open store; for `fresh_models`, have none."""
    if "fresh_models" in request.fixturenames:
        yield
        return
    kept = request.getfixturevalue("kept_models")
    entries = [entry for shared in kept.values() for entry in shared._entries.values()]
    entries[-1].value.window.purge()
    with sharing(kept):
        yield
        assert [entry.users for entry in entries] == [1, 1], "a store is still open"


@pytest.fixture
def fresh_models() -> None:
    """Have stores load their models, as the first store of a process does."""


@contextmanager
def sharing(shared: dict[str, Shared[Any]]) -> Iterator[None]:
    """Have the stores that are opened in the block share these models."""
    from edge_icl.answer import engines

    with pytest.MonkeyPatch.context() as patch:
        for name, models in shared.items():
            patch.setattr(engines, name, models)
        yield


@pytest.fixture
def models_home(fetched_models: Path, own_home: Path, shared_models: None) -> Path:
    """A home with both default models. Large files are links: replace or remove one, never write into it."""
    names = shutil.ignore_patterns(".*")
    shutil.copytree(fetched_models, own_home / "models", copy_function=link_or_copy, ignore=names)
    return own_home


def link_or_copy(source: str, target: str) -> None:
    """Copy a small file; link a large one, by its name: a hard link is a change, and it would be read again."""
    try:
        if Path(source).stat().st_size > SMALL_FILE:
            Path(target).symlink_to(source)
            return
    except OSError:
        pass  # this user of Windows may make no links
    shutil.copy2(source, target)
