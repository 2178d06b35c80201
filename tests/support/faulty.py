"""A llama.cpp that computes wrongly: the real one, and between it and its caller what bad kernels do.

As a program, it is the child of a trial: `python faulty.py KIND WHEN`. One that hangs writes its number into
the file $FAULTY_PID.
"""

import ctypes
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("parts", "again", "state", "anew", "labels", "chance", "far", "nan", "abort", "hang")
WHEN = ("always", "extra", "amx", "gpu", "either")
"""With which settings it is wrong: with extra buffers, which on some processors are for AMX; with layers on the
GPU; with one or the other."""


class Faulty:
    """Stands in for the module `llama_cpp`.

    Args:
        library: the real one.
        kind: what is wrong.
        when: one of `WHEN`.
    """

    def __init__(self, library: Any, kind: str, when: str = "always") -> None:
        self._library = library
        self._kind = kind
        self._when = when
        self._on = when == "always"
        self._calls = self._clears = 0
        self._at = 0
        self._labels = self._restored = False
        self.loaded: list[tuple[int, bool]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def llama_supports_gpu_offload(self) -> bool:
        return self._when in ("gpu", "either")

    def llama_print_system_info(self) -> bytes:
        amx = b"AMX_INT8 = 1 | " if self._when == "amx" else b""
        return bytes(self._library.llama_print_system_info()) + amx

    def llama_model_load_from_file(self, path: bytes, parameters: Any) -> Any:
        extra, gpu = bool(parameters.use_extra_bufts), parameters.n_gpu_layers != 0
        self.loaded.append((parameters.n_gpu_layers, extra))
        self._on |= {"extra": extra, "amx": extra, "gpu": gpu, "either": extra or gpu}.get(self._when, False)
        model = self._library.llama_model_load_from_file(path, parameters)
        vocabulary = self._library.llama_model_get_vocab(model)
        self._size = self._library.llama_vocab_n_tokens(vocabulary)
        return model

    def llama_decode(self, context: int, batch: Any) -> int:
        if self._on and self._kind == "abort":
            os.write(2, b"kernels.cpp:7: GGML_ASSERT(rows == 8) failed\n")
            os.abort()
        if self._on and self._kind == "hang":
            if place := os.environ.get("FAULTY_PID"):
                Path(place).write_text(str(os.getpid()))
            time.sleep(3600)
        self._at = batch.pos[0]
        self._labels = batch.n_seq_id[batch.n_tokens - 1] != 1 or batch.seq_id[batch.n_tokens - 1][0] != 0
        return self._library.llama_decode(context, batch)

    def llama_memory_clear(self, memory: Any, data: bool) -> None:
        self._clears += bool(data)
        self._restored = False
        self._library.llama_memory_clear(memory, data)

    def llama_state_seq_set_data(self, *args: Any) -> int:
        self._restored = True
        return self._library.llama_state_seq_set_data(*args)

    def llama_get_logits_ith(self, context: int, index: int) -> Any:
        row = self._library.llama_get_logits_ith(context, index)
        if not self._on:
            return row
        self._calls += 1
        logits = np.ctypeslib.as_array(row, shape=(self._size,)).copy()
        shift = {
            "parts": self._at > 0,
            "again": self._calls / 1e6,
            "state": self._restored and 1e-5,
            "anew": self._clears / 1e6,
            "labels": self._labels and self._calls / 1e6,
        }.get(self._kind, 0)
        logits[::2] += np.float32(logits.std() * shift * 3)
        if self._kind == "chance":
            logits = np.roll(logits * 8, 5)
        elif self._kind == "far":
            logits *= np.float32(0.7)
        elif self._kind == "nan":
            logits[3] = np.nan
        self._kept = np.ascontiguousarray(logits)
        return self._kept.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def main() -> None:
    """Be the child."""
    sys.path[:] = json.loads(sys.stdin.buffer.readline())
    from edge_icl.llm import native, trial

    native._llama._module = Faulty(native.llama(), *sys.argv[1:])
    trial.main()


if __name__ == "__main__":
    main()
