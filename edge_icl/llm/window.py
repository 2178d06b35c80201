"""What the model sees: the tokens in the KV cache of its context, one question at a time.

The question is sequence 0 and lies in the cache from cell 0 on without gaps; higher sequences exist only
while labels are scored. llama.cpp's sums depend on where in the cache tokens lie and on which were evaluated
in one call, so this layout, which every method here keeps, is what makes equal questions give equal logits.

In some models, such as Gemma 3, most layers see only the last tokens: a sliding window. llama.cpp takes the
cells behind it for free: the state of a sequence leaves them out, and a restored one is written over from its
first cell on. Either way tokens lie elsewhere than before, and logits differed by up to 3 beyond a window of
512. So all cells of such a model are kept (`swa_full`), its state is that of all sequences, and one more
sequence, the guard, holds every cell that sequence 0 does: a cell of two sequences is never free. With both,
logits are those of an evaluation from nothing, bit for bit, at every length tried from 100 to 2,000 tokens.
"""

from __future__ import annotations

import ctypes
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_icl.errors import AskCancelledError, ModelComputationError, ModelError
from edge_icl.llm.batch import batch
from edge_icl.llm.context import BATCH, SEQUENCES
from edge_icl.llm.native import complaint, llama

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.llm.context import Context

_GUARD = SEQUENCES - 1  # may also be a label's sequence, since that begins with all of sequence 0 too
_EVERY = -1  # what llama.cpp calls all sequences
_ABORTED = 2  # what llama_decode returns then
_HEADER = struct.Struct("<IiII")  # what llama.cpp's state of a sequence begins with
_CELL_BYTES = 8


class Owner:
    """An answer that is being written: it comes back to the window for its tokens.

    Attributes:
        group: the store's prefixes that it begins with; `Window.purge` drops the answers of one group.
    """

    def __init__(self, group: object) -> None:
        self.group = group


class Window:
    """The tokens in a context's cache. Call every method with the model's lock held.

    Attributes:
        context: what they are in; it is closed with the window.
        held: the name of the prefix that the cache begins with, "" where it is unknown.
        holder: the prefixes of a store that this one is of.
    """

    def __init__(self, context: Context) -> None:
        self._llama = llama()
        self.context = context
        self._owner: Owner | None = None
        self._parked: dict[Owner, bytes] = {}
        self.held = ""
        self.holder: object = None

    def close(self) -> None:
        """Give the memory back. Calling it again does nothing."""
        self.context.close()
        self._owner = None
        self._parked.clear()

    def enter(self, owner: Owner | None = None) -> bool:
        """Make the window `owner`'s; what a last owner, which has not left, had in it is parked.

        Args:
            owner: the answer that comes back for its tokens later; None for work that ends within the lock.

        Returns:
            Whether the window now holds what `owner` left in it.
        """
        self.context.refuse_closed()
        if owner is not None and self._owner is owner:
            return True
        self._park()
        self._owner = owner
        state = None if owner is None else self._parked.pop(owner, None)
        if state is None:
            return False
        self.empty()
        return self.restore(state)

    def leave(self, owner: Owner) -> None:
        """Forget that `owner` has anything here."""
        self._parked.pop(owner, None)
        if self._owner is owner:
            self._owner = None

    def purge(self, group: object = None) -> None:
        """Zero the cache and drop what is parked: no token seen so far can have a part in any answer.

        Args:
            group: whose answers; those of other stores are parked and go on. None for all.
        """
        if group is not None:
            self._park()
            self._parked = {owner: state for owner, state in self._parked.items() if owner.group is not group}
        else:
            self._parked.clear()
        self._owner = None
        self.empty(zero=True)

    def empty(self, *, zero: bool = False) -> None:
        """Remove every token; `zero` overwrites the cells too."""
        memory = self.context.memory
        self.held = ""
        self.holder = None
        self._llama.llama_memory_clear(memory, zero)

    def cut(self, length: int) -> None:
        """Leave the first `length` tokens of sequence 0 and nothing else."""
        memory = self.context.memory
        self._llama.llama_memory_seq_keep(memory, 0)
        if length == 0 or not self._llama.llama_memory_seq_rm(memory, 0, length, -1):
            self.empty()
        self._guard()

    def branch(self, count: int) -> None:
        """Let sequences 1 to `count` begin with all of sequence 0, without a copy; `cut` ends them."""
        memory = self.context.memory
        for sequence in range(1, count + 1):
            self._llama.llama_memory_seq_cp(memory, 0, sequence, -1, -1)

    def length(self) -> int:
        """Return how many tokens sequence 0 holds, from its beginning on."""
        memory = self.context.memory
        first = self._llama.llama_memory_seq_pos_min(memory, 0)
        return int(self._llama.llama_memory_seq_pos_max(memory, 0)) + 1 if first == 0 else 0

    def append(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Evaluate tokens at the end of sequence 0, in calls of BATCH; return the logits after the last.

        Raises:
            ModelError: the window is full, or llama.cpp fails.
        """
        at = self.length()
        for start in range(0, len(tokens), BATCH):
            piece = tokens[start : start + BATCH]
            last = [False] * (len(piece) - 1) + [True]
            self.decode(piece, range(at + start, at + start + len(piece)), [(0,)] * len(piece), last)
        return self.logits(len(piece) - 1).copy()

    def decode(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[Sequence[int]],
        outputs: Sequence[bool],
    ) -> None:
        """Evaluate at most BATCH tokens in one call.

        Args:
            tokens: what to append.
            positions: each one's place in its sequences.
            sequences: which sequences each one belongs to.
            outputs: for which ones `logits` will be asked.

        Raises:
            AskCancelledError: what `Context.stop_with` was given was set; the window is empty then.
            ModelError: the window is full, or llama.cpp fails.
        """
        try:
            status = self.context.evaluate(batch(self._llama, tokens, positions, sequences, outputs))
        except BaseException:
            self.empty()  # which cells hold what is unknown
            raise
        if status == _ABORTED:
            self.empty()  # as above
            raise AskCancelledError("the question was cancelled")
        if status == 1:
            raise ModelError(
                f"the context of {self.context.size} tokens is full", "ask with fewer or shorter examples"
            )
        if status != 0:
            raise ModelError(f"llama.cpp could not evaluate {len(tokens)} tokens: {complaint()}")

    def logits(self, index: int) -> NDArray[np.float32]:
        """Return the logits after token `index` of the last call: llama.cpp's memory, until the next one.

        Raises:
            ModelComputationError: one of them is NaN or infinite.
            ModelError: llama.cpp has none.
        """
        try:
            return self.context.logits(index)
        except ModelComputationError:
            self.empty()  # nothing may be kept of what they came from
            raise

    def save(self) -> bytes:
        """Return the state of sequence 0, where there is no other."""
        self._guard()
        context = self.context.handle
        size = self._llama.llama_state_seq_get_size(context, self._kept)
        buffer = np.empty(size, dtype=np.uint8)
        if self._llama.llama_state_seq_get_data(context, _pointer(buffer), size, self._kept) != size:
            raise ModelError(f"llama.cpp could not save a state: {complaint()}")
        return buffer.tobytes()

    def fits(self, state: bytes, length: int) -> bool:
        """Tell whether a state says that it is one of so many tokens: llama.cpp believes what it reads.

        It begins with a mark, the sequence, how many parts the cache has and how many cells of the first come,
        each with its place and the number of its sequences at least.
        """
        if len(state) < _HEADER.size + length * _CELL_BYTES:
            return False
        _, sequence, streams, cells = _HEADER.unpack_from(state)
        return (sequence, streams, cells) == (self._kept, 1, length)

    def restore(self, state: bytes) -> bool:
        """Put a state into the empty window; return whether llama.cpp took all of it."""
        source = np.frombuffer(state, dtype=np.uint8)
        context = self.context.handle
        taken = self._llama.llama_state_seq_set_data(context, _pointer(source), len(state), self._kept)
        return bool(taken == len(state) > 0)

    @property
    def _kept(self) -> int:
        """The sequence whose state is kept."""
        return _EVERY if self.context.sliding else 0

    def _guard(self) -> None:
        """Let no cell of sequence 0 be taken for free because it lies behind a sliding window."""
        if self.context.sliding:
            self._llama.llama_memory_seq_cp(self.context.memory, 0, _GUARD, -1, -1)

    def _park(self) -> None:
        """Save what the owner has in the window."""
        if self._owner is not None:
            self._parked[self._owner] = self.save()


def _pointer(array: NDArray[np.uint8]) -> Any:
    """Return a C pointer to an array's bytes."""
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
