"""llama.cpp's context for a loaded model: how it is set up, and a batch evaluated in it, which can be stopped.

Flash attention is off on a processor: it was 3 % faster on a prefix there and 8 % slower on a question, and it
makes the logits of an answer depend on the number of threads (by up to 0.5 in a trial), so on the machine. Keys
and values have 16 bits, llama.cpp's default: with 8 or 32 they were no faster (benchmarks/settings.py).
"""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_icl.errors import ModelComputationError, ModelError, ModelFileError
from edge_icl.llm.native import complaint, evaluate, length_of_text, llama
from edge_icl.runtime.cancel import Cancel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEQUENCES = 256
"""Most sequences in a context: llama.cpp's LLAMA_MAX_SEQ."""

BATCH = 256
"""Most tokens in one call: no fewer than SEQUENCES, or llama.cpp aborts. Larger ones were no faster, nor was
cutting a call into smaller pieces (benchmarks/settings.py)."""

UNFIT = "use a generative transformer, such as Llama or Qwen: edge-icl models import NAME FILE"
"""What to do with a model of another kind."""

NOT_FINITE = "see whether the model is damaged, and computed rightly here: edge-icl doctor"
"""What to do where a model gives NaN or infinity."""

_LONG = 0.25
"""Seconds from which a call is worth a thread of its own, so that Ctrl-C need not wait for it. With one for
each, a question that is answered in 80 ms took 13 ms more."""


class Context:
    """A context of llama.cpp for a loaded model. Call every method with the model's lock held.

    Args:
        model: llama.cpp's pointer to the model.
        vocabulary_size: how many tokens the model knows.
        size: most tokens of prompt and answer together.
        threads: processor threads.
        gpu: whether a GPU holds layers of the model.

    Attributes:
        size: see above.
        sliding: whether layers of the model see only a window of the last tokens.
    """

    def __init__(self, model: int, vocabulary_size: int, *, size: int, threads: int, gpu: bool) -> None:
        self._llama = llama()
        self._handle: int | None = self._open(model, size, threads, gpu=gpu)
        self._vocabulary_size = vocabulary_size
        self._given: Cancel | None = None
        self._cancel = Cancel()
        # Seconds a token took in the last call of one token, and of several, which take a fifth of that each.
        self._pace = {False: _LONG, True: _LONG}
        self.size = size  # llama.cpp rounds up, also to more than a model can
        self._memory = self._llama.llama_get_memory(self._handle)
        self.sliding = bool(self._llama.llama_model_n_swa(model))
        self.stop_with(None)

    def _open(self, model: int, size: int, threads: int, *, gpu: bool) -> int:
        """Return llama.cpp's pointer to a new context."""
        library = self._llama
        parameters = library.llama_context_default_params()
        parameters.n_ctx = max(size, BATCH)  # a shorter one would make the calls shorter than SEQUENCES too
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_seq_max = SEQUENCES
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.kv_unified = True  # labels share the cells of their prompt
        parameters.swa_full = True  # what is behind a sliding window must be there when a cut brings it back
        parameters.offload_kqv = parameters.op_offload = gpu
        parameters.flash_attn_type = (
            library.LLAMA_FLASH_ATTN_TYPE_AUTO if gpu else library.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        complaint()
        handle = library.llama_init_from_model(model, parameters)
        if not handle:
            less = "have the GPU hold fewer layers, with --gpu-layers" if gpu else "use a smaller model"
            raise ModelError(
                f"there is no room for the model's context of {size:,} tokens: {complaint()}",
                f"end other programs, or {less}",
            )
        if not library.llama_get_memory(handle):
            library.llama_free(handle)
            raise ModelFileError("the model is an encoder: it keeps nothing of what it has read", UNFIT)
        return int(handle)

    @property
    def handle(self) -> int:
        """llama.cpp's pointer to the context.

        Raises:
            ModelError: it is closed.
        """
        self.refuse_closed()
        assert self._handle is not None
        return self._handle

    @property
    def memory(self) -> Any:
        """llama.cpp's pointer to the cache of keys and values.

        Raises:
            ModelError: the context is closed.
        """
        self.refuse_closed()
        return self._memory

    def refuse_closed(self) -> None:
        """Raise if the context is closed.

        Raises:
            ModelError: it is.
        """
        if self._handle is None:
            raise ModelError("the model is closed", "load it again")

    def close(self) -> None:
        """Give the memory back. Calling it again does nothing."""
        if self._handle is not None:
            self._llama.llama_free(self._handle)
            self._handle = None

    def stop_with(self, cancel: Cancel | None) -> None:
        """Stop the evaluations that follow when `cancel` is set: on a processor between two of their steps."""
        library = self._llama
        self._given = cancel
        self._cancel = Cancel(cancel)  # of its own, so that Ctrl-C can set it; llama.cpp points into it
        # "Is the text at this address longer than nothing?", asked in C.
        stop = ctypes.cast(length_of_text(), library.ggml_abort_callback)
        library.llama_set_abort_callback(self.handle, stop, self._cancel.address)

    def evaluate(self, row: Any) -> int:
        """Return llama.cpp's status after a batch; Ctrl-C ends a long one.

        After an error, or a status other than 0, it is unknown what the cache holds of the batch.
        """
        handle = self.handle
        decode, count, begun = self._llama.llama_decode, row.n_tokens, time.monotonic()
        several = count > 1
        long = count * self._pace[several] > _LONG
        try:
            status = evaluate(lambda: int(decode(handle, row)), long=long, stop=self._cancel.set)
        except BaseException:
            self.stop_with(self._given)
            raise
        self._pace[several] = (time.monotonic() - begun) / count
        return status

    def logits(self, index: int) -> NDArray[np.float32]:
        """Return the logits after token `index` of the last call: llama.cpp's memory, until the next one.

        Raises:
            ModelComputationError: one of them is NaN or infinite.
            ModelError: llama.cpp has none.
        """
        row = self._llama.llama_get_logits_ith(self.handle, index)
        if not row:
            raise ModelError(f"llama.cpp has no logits for token {index}")
        logits = np.ctypeslib.as_array(row, shape=(self._vocabulary_size,))
        if not np.isfinite(logits).all():
            raise ModelComputationError("logits are not finite numbers", NOT_FINITE)
        return logits
