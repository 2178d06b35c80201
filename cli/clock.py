"""How long a run of the program took, stage by stage."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.runtime.progress import Progress


class Clock:
    """How long the stages of work took, and all of it."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def watch(self, progress: Progress) -> Iterator[Progress]:
        """Give a `Progress` that passes everything on to this one, and take the times of its stages."""
        since, current = time.perf_counter(), ""

        def passing(stage: str, done: int, total: int) -> None:
            nonlocal since, current
            if stage != current:
                close()
                since, current = time.perf_counter(), stage
            progress(stage, done, total)

        def close() -> None:
            if current:
                self._stages[current] = self._stages.get(current, 0) + time.perf_counter() - since

        try:
            yield passing
        finally:
            close()

    def times(self) -> list[tuple[str, float]]:
        """Return the stages and their seconds, and the total."""
        return [*self._stages.items(), ("total", time.perf_counter() - self._begun)]
