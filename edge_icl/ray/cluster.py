"""Ray for as long as it is needed: one that runs already, or one of this process's own.

One of its own is for this user and this machine alone. Ray would listen on all addresses of the machine and
obey every program that connects; so it is told to use the loopback address, and to ask for a token. Its files,
logs among them, are in a folder that only this user can read, and which goes with it.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from edge_icl.errors import EdgeIclError
from edge_icl.runtime.cores import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator

ALONE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # no cluster, so 127.0.0.1; on these two it is so anyway
    "RAY_AUTH_MODE": "token",
}
"""What makes a Ray be for this machine and this user alone; read when the package is first imported."""

QUIET = {"RAY_BACKEND_LOG_LEVEL": "fatal"}
"""What Ray's C++ tells is about Ray, and would stand between a command's own lines."""

OBJECTS = 200 << 20
"""Bytes of memory that a Ray of its own shares between processes; rows of files do not go through it."""

LONGEST_FOLDER = 40
"""Characters: sockets have their names in the folder, which the operating system lets be 107 long with it."""

PATIENCE = 10.0
"""Seconds in which workers end by themselves when their Ray has."""


@contextmanager
def running(*, address: str | None = None, workers: int | None = None, objects: int = OBJECTS) -> Iterator[int]:
    """Have Ray in the block: the one that this process has already, the one at an address, or a new one.

    Args:
        address: where a Ray runs, as `ray.init` takes it; None to start one on this machine, which ends with
            the block.
        workers: how many one-core workers are wanted; None for one a core.
        objects: bytes of shared memory for a Ray that is started.

    Yields:
        How many workers there are to be.

    Raises:
        EdgeIclError: no Ray answers at the address, or none can be started.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
    if address is None and "ray" not in sys.modules:
        os.environ.update({name: os.environ.get(name, value) for name, value in ALONE.items()})
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray

    if ray.is_initialized():
        yield workers or cores()
    elif address is not None:
        with _connected(ray, address):
            yield workers or cores()
    else:
        count = workers or usable_cores()
        with _started(ray, count, objects):
            yield count


def cores() -> int:
    """Return how many cores the cluster has that this process is connected to."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Be connected to a cluster."""
    try:
        with _silent():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise EdgeIclError(
            f"Ray at {address} cannot be used: {_first(error)}", "see what `ray status` says there"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _started(ray: Any, workers: int, objects: int) -> Iterator[None]:
    """Have a Ray of this machine's own; when the block ends, nothing of it is left."""
    inside = tempfile.gettempdir() if len(tempfile.gettempdir()) <= LONGEST_FOLDER else "/tmp"  # noqa: S108 - see above
    folder = tempfile.mkdtemp(prefix="edge-icl-", dir=inside)
    try:
        try:
            with _silent():
                ray.init(
                    address="local",
                    num_cpus=workers,
                    num_gpus=0,
                    object_store_memory=objects,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    _temp_dir=f"{folder}/ray",  # which Ray lets all users write to: the one around it is ours
                )
        except (RuntimeError, ValueError, OSError) as error:
            raise EdgeIclError(
                f"Ray cannot be started: {_first(error)}", "look at what `ray start` says"
            ) from error
        yield
    finally:
        _end(ray)
        shutil.rmtree(folder, ignore_errors=True)


def _end(ray: Any) -> None:
    """End a Ray that was started here, and wait for its processes."""
    import psutil  # Ray brings it

    ours = [one for one in psutil.Process().children(recursive=True) if _is_of_ray(one)]
    ray.shutdown()
    _, left = psutil.wait_procs(ours, timeout=PATIENCE)
    for one in left:
        with suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(left, timeout=PATIENCE)


def _is_of_ray(process: Any) -> bool:
    """Tell whether a child of this process is one that Ray has started."""
    import psutil

    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "ray::" in line or f"{os.sep}ray{os.sep}" in line


def failed(error: BaseException) -> EdgeIclError:
    """Return what is told of an error that Ray raised since a worker failed: its last line."""
    said = next(iter(str(error).strip().splitlines()[-1:]), type(error).__name__)
    return EdgeIclError(f"a worker of Ray failed: {said.strip().rstrip('.')}", "see what -v shows")


def _first(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


@contextmanager
def _silent() -> Iterator[None]:
    """Start Ray without what its C++ writes to stderr, and without its answer to SIGTERM in place of ours."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if main else None
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
        if main and before is not None:
            signal.signal(signal.SIGTERM, before)
