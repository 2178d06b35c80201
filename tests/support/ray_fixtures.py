"""A Ray of two workers on this machine, for all tests of a process: name this module in `pytest_plugins`."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

IGNORED = "ignore::DeprecationWarning:ray"
"""Ray warns of its own settings."""


@pytest.fixture(scope="session")
def local_ray(fetched_models: Path) -> Iterator[None]:
    """Have Ray run, with both default models for its workers."""
    import edge_icl.ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            running = edge_icl.ray.running(workers=2)
            running.__enter__()
    yield
    running.__exit__(None, None, None)
    assert processes("ray::", "raylet", "gcs_server") == []


def processes(*names: str) -> list[int]:
    """Return the processes below this one in whose command lines one of these words is."""
    import psutil

    found = []
    for one in psutil.Process().children(recursive=True):
        try:
            line = " ".join(one.cmdline())
        except psutil.Error:
            continue
        found += [one.pid] if any(name in line for name in names) else []
    return found
