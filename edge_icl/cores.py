"""How many processors this process may use."""

from __future__ import annotations

import os


def usable_cpus() -> int:
    """Return the number of logical processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1
