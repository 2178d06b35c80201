"""What the model sees: llama.cpp's context and its KV cache, one question at a time.

The question is sequence 0 and lies in the cache from cell 0 on without gaps; higher sequences exist only
while labels are scored. llama.cpp's sums depend on where in the cache tokens lie and on which were evaluated
in one call, so this layout, which every method here keeps, is what makes equal questions give equal logits.

In some models, such as Gemma 3, most layers see only the last tokens: a sliding window. llama.cpp takes the
cells behind it for free: the state of a sequence leaves them out, and a restored one is written over from its
first cell on. Either way tokens lie elsewhere than before, and logits differed by up to 3 beyond a window of
512. So all cells of such a model are kept (`swa_full`), its state is that of all sequences, and one more
sequence, the guard, holds every cell that sequence 0 does: a cell of two sequences is never free. With both,
logits are those of an evaluation from nothing, bit for bit, at every length tried from 100 to 2,000 tokens.

Flash attention is off on a processor: it was 3 % faster on a prefix there and 8 % slower on a question, and it
makes the logits of an answer depend on the number of threads (by up to 0.5 in a trial), so on the machine. Keys
and values have 16 bits, llama.cpp's default: with 8 or 32 they were no faster (benchmarks/settings.py).
"""

from __future__ import annotations

import ctypes
import struct
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_icl.errors import AskCancelledError, ModelComputationError, ModelError, ModelFileError
from edge_icl.llm.batch import batch
from edge_icl.llm.native import complaint, evaluate, length_of_text, llama
from edge_icl.runtime.cancel import Cancel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SEQUENCES = 256
"""Most sequences in a window: llama.cpp's LLAMA_MAX_SEQ."""

BATCH = 256
"""Most tokens in one call: no fewer than SEQUENCES, or llama.cpp aborts. Larger ones were no faster, nor was
cutting a call into smaller pieces (benchmarks/settings.py)."""

UNFIT = "use a generative transformer, such as Llama or Qwen: edge-icl models import NAME FILE"
"""What to do with a model of another kind."""

NOT_FINITE = "see whether the model is damaged, and computed rightly here: edge-icl doctor"
"""What to do where a model gives NaN or infinity."""

_GUARD = SEQUENCES - 1  # may also be a label's sequence, since that begins with all of sequence 0 too
_EVERY = -1  # what llama.cpp calls all sequences
_ABORTED = 2  # what llama_decode returns then
_HEADER = struct.Struct("<IiII")  # what llama.cpp's state of a sequence begins with
_CELL_BYTES = 8
_LONG = 0.25
"""Seconds from which a call is worth a thread of its own, so that Ctrl-C need not wait for it. With one for
each, a question that is answered in 80 ms took 13 ms more."""


class Owner:
    """Whoever comes back to the window for its tokens: an answer that is being written.

    Attributes:
        group: whose answer it is; `Window.purge` drops the answers of one group.
    """

    def __init__(self, group: object) -> None:
        self.group = group


class Window:
    """A context of llama.cpp for a loaded model. Call every method with the model's lock held.

    Attributes:
        size: most tokens of prompt and answer together.
        sliding: whether layers of the model see only a window of the last tokens.
        held: the key of the prefix that the cache begins with, "" where nobody knows.
        holder: whose prefix that is.
    """

    def __init__(self, model: int, vocabulary_size: int, *, size: int, threads: int, gpu: bool) -> None:
        self._llama = llama()
        self._handle: int | None = self._open(model, size, threads, gpu=gpu)
        self._memory = self._llama.llama_get_memory(self._handle)
        self._vocabulary_size = vocabulary_size
        self._owner: Owner | None = None
        self._parked: dict[Owner, bytes] = {}
        self._heeded: Cancel | None = None
        self._cancel = Cancel()
        self._pace = _LONG  # seconds a token took in the last call
        self.size = size  # llama.cpp rounds up, also to more than a model can
        self.sliding = bool(self._llama.llama_model_n_swa(model))
        self.held = ""
        self.holder: object = None
        self.heed(None)

    def _open(self, model: int, size: int, threads: int, *, gpu: bool) -> int:
        """Return llama.cpp's pointer to a new context."""
        library = self._llama
        parameters = library.llama_context_default_params()
        parameters.n_ctx = max(size, BATCH)  # a shorter one would make the calls shorter than SEQUENCES too
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_seq_max = SEQUENCES
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.kv_unified = True  # labels share the cells of their prompt
        parameters.swa_full = True  # so that what is behind a sliding window is there when `cut` brings it back
        parameters.offload_kqv = parameters.op_offload = gpu
        parameters.flash_attn_type = (
            library.LLAMA_FLASH_ATTN_TYPE_AUTO if gpu else library.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        complaint()
        handle = library.llama_init_from_model(model, parameters)
        if not handle:
            raise ModelError(f"no context of {size} tokens can be made: {complaint()}", "ask for a smaller one")
        if not library.llama_get_memory(handle):
            library.llama_free(handle)
            raise ModelFileError("the model is an encoder: it keeps nothing of what it has read", UNFIT)
        return int(handle)

    def close(self) -> None:
        """Give the memory back. Calling it again does nothing."""
        if self._handle is not None:
            self._llama.llama_free(self._handle)
            self._handle = None
            self._owner = None
            self._parked.clear()

    def heed(self, cancel: Cancel | None) -> None:
        """Stop the evaluations that follow when `cancel` is set: on a processor between two of their steps."""
        library = self._llama
        self._heeded = cancel
        self._cancel = Cancel(cancel)  # of its own, so that Ctrl-C can set it; llama.cpp points into it
        # "Is the text at this address longer than nothing?", asked in C.
        stop = ctypes.cast(length_of_text(), library.ggml_abort_callback)
        library.llama_set_abort_callback(self._live(), stop, self._cancel.address)

    def enter(self, owner: Owner | None = None) -> bool:
        """Make the window `owner`'s; what a last owner, who has not left, had in it is parked.

        Args:
            owner: whoever comes back for its tokens later; None for work that ends within the lock.

        Returns:
            Whether the window now holds what `owner` left in it.
        """
        self._live()
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
            group: whose tokens; the answers of others are parked and go on. None for everybody's.
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
        self._live()
        self.held = ""
        self.holder = None
        self._llama.llama_memory_clear(self._memory, zero)

    def cut(self, length: int) -> None:
        """Leave the first `length` tokens of sequence 0 and nothing else."""
        self._live()
        self._llama.llama_memory_seq_keep(self._memory, 0)
        if length == 0 or not self._llama.llama_memory_seq_rm(self._memory, 0, length, -1):
            self.empty()
        self._guard()

    def branch(self, count: int) -> None:
        """Let sequences 1 to `count` begin with all of sequence 0, without a copy; `cut` ends them."""
        self._live()
        for sequence in range(1, count + 1):
            self._llama.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)

    def length(self) -> int:
        """Return how many tokens sequence 0 holds, from its beginning on."""
        self._live()
        first = self._llama.llama_memory_seq_pos_min(self._memory, 0)
        return int(self._llama.llama_memory_seq_pos_max(self._memory, 0)) + 1 if first == 0 else 0

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
            AskCancelledError: what `heed` was given was set; the window is empty then.
            ModelError: the window is full, or llama.cpp fails.
        """
        status = self._evaluated(self._live(), batch(self._llama, tokens, positions, sequences, outputs))
        if status == _ABORTED:
            self.empty()  # nobody knows which cells hold what
            raise AskCancelledError("the question was cancelled")
        if status == 1:
            raise ModelError(f"the context of {self.size} tokens is full", "ask with fewer or shorter examples")
        if status != 0:
            raise ModelError(f"llama.cpp could not evaluate {len(tokens)} tokens: {complaint()}")

    def _evaluated(self, handle: int, row: Any) -> int:
        """Return what llama.cpp says of a batch; Ctrl-C ends a long one, and leaves the window empty."""
        decode, count, begun = self._llama.llama_decode, row.n_tokens, time.monotonic()
        long = count * self._pace > _LONG
        try:
            status = evaluate(lambda: int(decode(handle, row)), long=long, stop=self._cancel.set)
        except BaseException:
            self.heed(self._heeded)
            self.empty()
            raise
        self._pace = (time.monotonic() - begun) / count
        return status

    def logits(self, index: int) -> NDArray[np.float32]:
        """Return the logits after token `index` of the last call: llama.cpp's memory, until the next one.

        Raises:
            ModelComputationError: one of them is NaN or infinite.
            ModelError: llama.cpp has none.
        """
        row = self._llama.llama_get_logits_ith(self._live(), index)
        if not row:
            raise ModelError(f"llama.cpp has no logits for token {index}")
        logits = np.ctypeslib.as_array(row, shape=(self._vocabulary_size,))
        if not np.isfinite(logits).all():
            self.empty()  # nobody may keep what they came from
            raise ModelComputationError("logits are no finite numbers", NOT_FINITE)
        return logits

    def save(self) -> bytes:
        """Return the state of sequence 0, where there is no other."""
        self._guard()
        size = self._llama.llama_state_seq_get_size(self._live(), self._kept)
        buffer = np.empty(size, dtype=np.uint8)
        if self._llama.llama_state_seq_get_data(self._live(), _pointer(buffer), size, self._kept) != size:
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
        taken = self._llama.llama_state_seq_set_data(self._live(), _pointer(source), len(state), self._kept)
        return bool(taken == len(state) > 0)

    @property
    def _kept(self) -> int:
        """The sequence whose state is kept."""
        return _EVERY if self.sliding else 0

    def _guard(self) -> None:
        """Let no cell of sequence 0 be taken for free because it lies behind a sliding window."""
        if self.sliding:
            self._llama.llama_memory_seq_cp(self._memory, 0, _GUARD, -1, -1)

    def _park(self) -> None:
        """Save what the owner has in the window."""
        if self._owner is not None:
            self._parked[self._owner] = self.save()

    def _live(self) -> int:
        """Return llama.cpp's pointer to the context, or say that it is gone."""
        if self._handle is None:
            raise ModelError("the model is closed", "load it again")
        return self._handle


def _pointer(array: NDArray[np.uint8]) -> Any:
    """Return a C pointer to an array's bytes."""
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
