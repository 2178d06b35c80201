"""One network of an encoder at work: an ONNX graph, a tokenizer, and int8 out.

    >>> network = LoadedNetwork(Network(graph, tokenizer, EncoderSettings(384, 400, 256)))
    >>> network.vectors(["Uber to the airport"]).shape
    (1, 384)

A text that is longer than the network reads at a time is cut into windows of that length. Its vector is the
direction of the windows' mean, in which each counts by its tokens.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_icl.encode.settings import CENTRE_UNIT, numbers_of
from edge_icl.encode.tokens import PERHAPS_DAMAGED, Tokens, first_line
from edge_icl.errors import ModelFileError
from edge_icl.runtime.threads import each

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_icl.encode.settings import Network
    from edge_icl.encode.tokens import Reading

    Floats = NDArray[np.float32]

_LIMIT = 127  # the vectors are symmetric: -128 is never used
_TRIED = ("a", "", "a taxi to the airport " * 2000, "".join(map(chr, (*range(32, 0xD7FF, 7), 0x1F600))))
_FATAL = 4  # onnxruntime's log levels end here; what matters to a caller is raised


class LoadedNetwork:
    """One network of an encoder, loaded; safe to use from several threads.

    Args:
        files: the graph, the tokenizer and the settings. Texts are cut where the settings say, whatever the
            tokenizer's file says.

    Raises:
        ModelFileError: the graph or the tokenizer is missing, damaged or not an encoder.
    """

    def __init__(self, files: Network) -> None:
        self._files = files
        self.settings = files.settings
        # At the same time: neither needs the interpreter for long.
        parts: tuple[Callable[[], Any], ...] = (self._load_graph, self._load_tokens)
        loaded = tuple(each(lambda load: load(), parts, chunk=1, threads=len(parts)))
        self._session: Any = loaded[0]
        self._tokens: Tokens = loaded[1]
        self._centre = _centre(files.settings.centre)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.int8]:
        """Return one vector a text, int8 [texts, dimension]; each text, and each window of it, runs alone.

        A run leaves nothing else in the processor's caches, and what comes between two runs takes two to seven
        times as long as it does in a row. So all texts are tokenized before the first run and all outputs
        rounded after the last.

        Raises:
            ModelFileError: the tokenizer or the graph fails, or the vectors are not finite.
        """
        windows = [self._tokens.windows(text) for text in texts]
        try:
            outputs = [
                [self._session.run(None, {"input_ids": np.array([ids], np.int64)})[0] for ids in own]
                for own in windows
            ]
        except Exception as error:  # onnxruntime raises classes of its own that share no better base
            raise ModelFileError(
                f"{self._files.graph} does not run: {first_line(error)}", PERHAPS_DAMAGED
            ) from error
        with np.errstate(invalid="ignore", over="ignore"):
            pooled = [self._pooled(own, found) for own, found in zip(windows, outputs, strict=True)]
            moved = pooled if self._centre is None else pooled - self._centre
            scaled = np.rint(np.multiply(moved, self.settings.scale, dtype=np.float32))
        if not np.isfinite(scaled).all():
            raise ModelFileError(
                f"{self._files.graph} gives vectors that are not finite numbers",
                "use another encoder: `edge-icl models list` shows those that are here",
            )
        made: NDArray[np.int8] = np.clip(scaled, -_LIMIT, _LIMIT).astype(np.int8)
        return made

    def _pooled(self, windows: list[list[int]], outputs: list[Floats]) -> Floats:
        """Return the direction of the mean of a text's windows, f32[dimension]."""
        if len(windows) == 1:
            return outputs[0]
        mean = np.zeros(self.settings.dimension)
        for ids, output in zip(windows, outputs, strict=True):
            mean += (len(ids) - self._tokens.frame) * output.astype(np.float64)
        return np.asarray(mean / np.sqrt((mean * mean).sum()), np.float32)

    def readings(self, texts: Sequence[str]) -> list[Reading]:
        """Return how much of each text the network reads; no vector is made."""
        return self._tokens.readings(texts)

    def check(self) -> None:
        """Make sure that it gives a vector for texts of every kind and length, and knows all its tokens.

        Raises:
            ModelFileError: it does not, or puts no tokens before and after a text.
        """
        self.vectors(_TRIED)
        if self._tokens.frame < len(("[CLS]", "[SEP]")):
            raise ModelFileError(
                f"{self._files.tokenizer} puts no tokens before and after a text",
                "only BERT encoders can be imported",
            )
        last = self._tokens.last()
        try:
            self._session.run(None, {"input_ids": np.array([[last]], np.int64)})
        except Exception as error:  # as in vectors
            raise ModelFileError(
                f"{self._files.tokenizer} has tokens that the encoder does not know",
                "give it its own tokenizer",
            ) from error

    def _load_graph(self) -> Any:
        """Load the graph for single-threaded runs and check its inputs and outputs."""
        onnxruntime = silent_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        graph = self._files.graph
        try:
            graph.open("rb").close()  # says why it cannot be read, which onnxruntime does not
            # By its path: of bytes it makes a copy, and holds the interpreter all the while.
            session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise ModelFileError(
                f"{graph} cannot be read: {error.strerror or error}", PERHAPS_DAMAGED
            ) from error
        except Exception as error:  # as in vectors
            raise ModelFileError(
                f"{graph} is not an ONNX graph: {first_line(error)}", PERHAPS_DAMAGED
            ) from error
        inputs = [node.name for node in session.get_inputs()]
        outputs = [node.shape for node in session.get_outputs()]
        if inputs != ["input_ids"] or outputs != [[self.settings.dimension]]:
            raise ModelFileError(
                f"{graph} is not an encoder of {self.settings.dimension} dimensions", PERHAPS_DAMAGED
            )
        return session

    def _load_tokens(self) -> Tokens:
        """Load the tokenizer."""
        return Tokens(self._files.tokenizer, self.settings)


def silent_onnxruntime() -> Any:
    """Return onnxruntime, kept from reporting its use to its maker.

    Left alone, from 1.29 on it writes an id of this machine to the user's cache and sends its maker the path of
    the program, sizes and times. It obeys the variable, which it reads once, when it is imported; on Windows it
    obeys the call.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _centre(text: str) -> Floats | None:
    """Return a centre f32[dimension], exactly, None for none."""
    return np.array(numbers_of(text), np.float32) / np.float32(CENTRE_UNIT) if text else None
