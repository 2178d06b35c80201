"""What changes the store, and takes the last change back: a store is a function of its examples, so exactly."""

from __future__ import annotations

from functools import partial
from threading import Lock
from tkinter import messagebox
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable, Sequence

    from background import Background
    from widgets import Status

    import edge_icl


class Step(NamedTuple):
    """A change that can be taken back.

    Attributes:
        told: what it was about.
        taught: the ids of the examples that are new, to be forgotten.
        forgotten: what was forgotten, to be taught again, with tags and source.
        vectors: theirs: made again on another kind of processor they might differ.
    """

    told: str
    taught: Sequence[str] = ()
    forgotten: Sequence[edge_icl.Example] = ()
    vectors: Sequence[edge_icl.Vector] = ()


class Changing:
    """Teaches, forgets, and takes back.

    Args:
        root: Tk's window.
        memory: the store.
        background: where that is done.
        status: where it is told.
        changed: called when the store has changed.
    """

    def __init__(
        self,
        root: tk.Tk,
        memory: edge_icl.Memory,
        background: Background,
        status: Status,
        changed: Callable[[], object],
    ) -> None:
        self._root = root
        self._memory = memory
        self._background = background
        self._status = status
        self._changed = changed
        self._steps: list[Step] = []
        self._one_at_a_time = Lock()  # else a change could be taken back before it is known

    def teach(self, told: str, *examples: edge_icl.Example) -> None:
        """Teach the store examples."""
        self._background.do(partial(self._teach, told, examples), self._taught)

    def _teach(self, told: str, examples: Sequence[edge_icl.Example]) -> Step:
        """Teach, and keep which are new; runs in a thread."""
        loading = partial(self._background.tell, self._status.progress)
        with self._one_at_a_time:
            known = set(self._memory.ids())
            added = self._memory.add_many(examples, progress=loading)
            step = Step(told, taught=[id for id in dict.fromkeys(added.ids) if id not in known])
            if step.taught:
                self._steps.append(step)
        return step

    def _taught(self, step: Step) -> None:
        """Say what was learnt."""
        self._status.say(f"{'Learnt' if step.taught else 'Known already'}: {step.told}")
        self._changed()

    def forget(self, held: edge_icl.Held) -> None:
        """Forget an example, if that is confirmed."""
        if messagebox.askyesno(
            "Forget",
            f"Forget this example?\n\n“{held.input}”\n{held.output}",
            detail="The store will be what it would be had it never been there. Until the window closes, "
            "Ctrl+Z teaches it again.",
            icon="warning",
            default="no",
            parent=self._root,
        ):
            self._background.do(partial(self._forget, held), self._forgotten)

    def _forget(self, held: edge_icl.Held) -> tuple[Step, edge_icl.Receipt]:
        """Forget, and keep what would teach it again; runs in a thread."""
        with self._one_at_a_time:
            vectors = [vector for one, vector in self._memory.export() if one.id == held.id]
            receipt = self._memory.forget(held.id, similar=self._memory.likeness)
            step = Step(f"“{held.input}”.", forgotten=[held.example], vectors=vectors)
            self._steps.append(step)
        return step, receipt

    def _forgotten(self, done: tuple[Step, edge_icl.Receipt]) -> None:
        """Say what is gone, and what is left that is nearly the same."""
        step, receipt = done
        left = "".join(f" Nearly the same and still here: “{one.input}”." for one in receipt.similar or ())
        self._status.say(f"Forgotten: {step.told}{left}")
        self._changed()

    def undo(self) -> None:
        """Take the last change back; the store is then, byte for byte, what it was."""
        self._background.do(self._take_back, self._taken_back)

    def _take_back(self) -> Step | None:
        """Take the last change back, None if there is none; runs in a thread."""
        with self._one_at_a_time:
            if not self._steps:
                return None
            step = self._steps.pop()
            if step.taught:
                self._memory.forget(*step.taught)
            else:
                self._memory.add_many(step.forgotten, vectors=step.vectors)
        return step

    def _taken_back(self, step: Step | None) -> None:
        """Say what is as before."""
        if step is None:
            self._status.say("There is nothing to undo.")
            return
        self._status.say(f"{'Forgotten again' if step.taught else 'Taught again'}: {step.told}")
        self._changed()
