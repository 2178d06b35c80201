"""Progress bars on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

_BYTE_STAGES = ("fetch", "check", "copy", "read", "write")
"""First words of the stages that count bytes."""


class Bars:
    """One bar at a time, each gone when its stage is over. Is a `Progress`."""

    def __init__(self) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread that outlives the command
        self._tqdm = tqdm
        self._stage = ""
        self._bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage is."""
        if stage != self._stage or self._bar is None:
            self.close()
            self._stage = stage
            self._bar = self._tqdm(
                desc=tables.one_line(stage), total=total or None, leave=False, delay=0.3, **_unit(stage)
            )
        self._bar.total = total or None  # a check knows its steps once it has begun
        self._bar.update(done - self._bar.n)
        if done == total > 0:
            self.close()  # what comes next may be an answer, on the line of the bar

    def clear(self) -> None:
        """Take the bar away until there is more to tell."""
        if self._bar is not None:
            self._bar.clear()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _unit(stage: str) -> Mapping[str, Any]:
    """Return how tqdm counts in a stage."""
    if stage.split(maxsplit=1)[0] in _BYTE_STAGES and stage != "check":  # `check` counts steps
        return {"unit": "B", "unit_scale": True}
    return {"unit": ""}
