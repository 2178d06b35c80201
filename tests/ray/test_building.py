"""A store whose vectors workers of Ray make: the bytes of one that a process makes alone, or nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from stores import tree

from edge_icl import EdgeIclError, InputError, MachineDiffersError, Memory

pytest_plugins = ["ray_fixtures"]
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.usefixtures("all_cores", "local_ray", "home_of_ray"),
]

SEED = bytes(range(32))
ROWS = [
    {"input": f"Taxi number {n % 140} to the airport", "output": f"label {n % 5}", "tags": ["a", "b"][: n % 3]}
    for n in range(150)
]


@pytest.fixture
def home_of_ray(fetched_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models that the workers have, for this process too."""
    monkeypatch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))


def alone(path: Path, held: int) -> dict[str, bytes]:
    """Return the store that one process makes."""
    with Memory.create(path, seed=SEED) as memory:
        memory.add_many(ROWS[:held])
        memory.add_many(ROWS)
        return tree(path)


def begun(path: Path, held: int = 0) -> Path:
    with Memory.create(path, seed=SEED) as memory:
        memory.add_many(ROWS[:held])
    return path


@pytest.mark.campaign
def test_the_bytes_are_those_of_one_process_and_what_is_there_is_not_embedded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray.data

    from edge_icl.ray import add, building

    monkeypatch.setattr(building, "SEVERAL", 7)
    path = begun(tmp_path / "store", held=40)
    told: list[tuple[str, int, int]] = []

    added = add(ray.data.from_items(ROWS), path, progress=lambda *step: told.append(step))

    assert tree(path) == alone(tmp_path / "alone", 40)
    with Memory.create(tmp_path / "again", seed=SEED) as memory:
        memory.add_many(ROWS[:40])
        assert memory.add_many(ROWS) == added
    embedded = [step for step in told if step[0] == "embed"]
    assert embedded[-1] == ("embed", added.added, added.added)
    assert len(embedded) == -(-added.added // 7) + 1


@pytest.mark.campaign
def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    from edge_icl.ray import building

    monkeypatch.setattr(building, "SEVERAL", 5)
    path = begun(tmp_path / "store")
    killed: list[int] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "embed" and done and not killed:
            victim = next(one for one in psutil.process_iter() if "Embedder" in " ".join(one.cmdline()))
            killed.append(victim.pid)
            os.kill(victim.pid, signal.SIGKILL)

    with Memory.open(path) as memory:
        building.add_many(memory, ROWS, progress=progress)

    assert len(killed) == 1
    assert tree(path) == alone(tmp_path / "alone", 0)


@pytest.mark.campaign
def test_a_worker_of_another_kind_is_refused_by_name_and_nothing_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_icl.ray import building

    path = begun(tmp_path / "store", held=3)
    before = tree(path)
    monkeypatch.setattr(building, "of_encoder", lambda _: "of this process")

    with (
        Memory.open(path) as memory,
        pytest.raises(MachineDiffersError, match="the encoder gives other vectors"),
    ):
        building.add_many(memory, ROWS)

    assert tree(path) == before


@pytest.mark.campaign
def test_a_bad_row_stops_all_before_ray_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray.data

    from edge_icl.ray import add, building

    path = begun(tmp_path / "store", held=3)
    before = tree(path)
    monkeypatch.setattr(building, "running", pytest.fail)

    with pytest.raises(InputError, match="the output is empty"):
        add(ray.data.from_items([*ROWS[:3], {"input": "Taxi", "output": " "}]), path)
    with pytest.raises(InputError, match="an example has no field label"):
        add(ray.data.from_items([{"input": "Taxi", "label": "travel"}]), path)

    assert tree(path) == before


@pytest.mark.campaign
def test_what_a_worker_meets_is_told_and_nothing_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_icl.ray import building

    class Broken(building.Embedder):
        def embed(self, texts: object) -> building.Made:
            raise RuntimeError("no more")

    path = begun(tmp_path / "store", held=3)
    before = tree(path)
    monkeypatch.setattr(building, "Embedder", Broken)

    with Memory.open(path) as memory, pytest.raises(EdgeIclError, match=r"a worker of Ray failed: .*no more"):
        building.add_many(memory, ROWS)

    assert tree(path) == before
