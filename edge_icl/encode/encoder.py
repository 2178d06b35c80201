"""From texts to vectors: an ONNX graph, a tokenizer, and int8 out.

    >>> encoder = Encoder(graph, tokenizer, EncoderSettings(dimension=384, scale=400, max_tokens=256))
    >>> encoder.encode(["Uber to the airport"]).shape
    (1, 384)

**A text's vector is a function of the text alone, bit for bit.** Dynamic quantization takes one activation
scale for a whole batch, so in a batch a text would leave its trace in its neighbours' vectors, and forgetting
it would not be forgetting it. So every text runs alone. Parallel single-threaded runs also give more texts a
second than batches do, because nothing is padded and no thread waits for another.
"""

from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_icl.errors import ModelFileError
from edge_icl.runtime import fork, interruptible
from edge_icl.runtime.cores import usable_cpus
from edge_icl.runtime.progress import Progress, silent
from edge_icl.runtime.threads import each

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_icl.encode.settings import EncoderSettings

_LIMIT = 127  # the vectors are symmetric: -128 is never used
_CHUNK = 16  # texts a worker takes at most at a time: enough to cost little, few enough to be interrupted
_CHUNKS = 4  # chunks a worker takes at least where there are enough texts, so that all end together
_TRIED = ("a", "", "a taxi to the airport " * 2000, "".join(map(chr, (*range(32, 0xD7FF, 7), 0x1F600))))
_FATAL = 4  # onnxruntime's log levels end here; what matters to a caller is raised

_READ = 256  # texts that are tokenized at a time
_SHORT_WORD = 100  # characters of a word: of a longer one BERT's tokenizers know nothing


class Reading(NamedTuple):
    """How much of a text the encoder reads.

    Attributes:
        known: whether its vocabulary has more than half of the tokens; texts of a foreign script, of which it
            knows nothing, all get much the same vector.
        cut: whether the text is longer than what it reads.
    """

    known: bool
    cut: bool


class Encoder:
    """A sentence encoder. Loads at `load` or the first `encode`; safe to use from several threads.

    Args:
        graph: ONNX file: input_ids int64 [1, tokens] to a float vector of length 1.
        tokenizer: a `tokenizer.json`.
        settings: what the vectors depend on besides these files. Texts are cut where they say, whatever the
            tokenizer's file says.
        threads: how many texts run at a time; None for one a usable core.
    """

    def __init__(
        self,
        graph: Path,
        tokenizer: Path,
        settings: EncoderSettings,
        *,
        threads: int | None = None,
    ) -> None:
        self.settings = settings
        self.threads = threads if threads is not None else usable_cpus()
        self._graph = graph
        self._tokenizer = tokenizer
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        fork.renewed(self)

    def renew(self) -> None:
        """Begin again in a forked process, with files that are loaded there."""
        fork.leave(self._loaded)
        self._lock = threading.Lock()
        self._loaded = None

    def encode(self, texts: Sequence[str], *, progress: Progress = silent) -> NDArray[np.int8]:
        """Return one vector a text: int8 [texts, dimension], round(scale * x) clipped to [-127, 127].

        Args:
            texts: in any order and number; a vector depends on its own text alone.
            progress: called from this thread, stage "embed".

        Raises:
            ModelFileError: the graph or the tokenizer is missing, damaged or not an encoder, or gives NaN.
        """
        session, tokenizer = self.load()
        vectors = np.empty((len(texts), self.settings.dimension), np.int8)
        size = max(1, min(_CHUNK, len(texts) // (_CHUNKS * self.threads)))

        def work(start: int) -> int:
            chunk = texts[start : start + size]
            vectors[start : start + size] = self._vectors(session, tokenizer, chunk)
            return len(chunk)

        progress("embed", 0, len(texts))
        done = 0
        with closing(each(work, range(0, len(texts), size), chunk=1, threads=self.threads)) as embedded:
            for count in embedded:
                done += count
                progress("embed", done, len(texts))
        return vectors

    def _vectors(self, session: Any, tokenizer: Any, texts: Sequence[str]) -> NDArray[np.int8]:
        """Run each text alone.

        A run leaves nothing else in the processor's caches, and what comes between two runs takes two to seven
        times as long as it does in a row. So all texts are tokenized before the first run and all outputs
        rounded after the last.
        """
        try:
            inputs = [np.array([tokenizer.encode(text).ids], np.int64) for text in texts]
        except BaseException as error:  # a panic of a Rust library is not an Exception
            if not _is_theirs(error):
                raise
            raise ModelFileError(f"{self._tokenizer} cannot read a text: {_first_line(error)}") from error
        try:
            outputs = [session.run(None, {"input_ids": ids})[0] for ids in inputs]
        except Exception as error:  # onnxruntime raises classes of its own that share no better base
            raise ModelFileError(f"{self._graph} does not run: {_first_line(error)}") from error
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = np.rint(np.multiply(outputs, self.settings.scale, dtype=np.float32))
        if not np.isfinite(scaled).all():
            raise ModelFileError(
                f"{self._graph} gives vectors that are not finite numbers",
                "use another encoder, or fetch it again",
            )
        vectors: NDArray[np.int8] = np.clip(scaled, -_LIMIT, _LIMIT).astype(np.int8)
        return vectors

    def readings(self, texts: Sequence[str], *, progress: Progress = silent) -> list[Reading]:
        """Return how much of each text the encoder reads; no vector is made.

        Args:
            texts: in any order and number.
            progress: called from this thread, stage "read".

        Raises:
            ModelFileError: the graph or the tokenizer is missing, damaged or not an encoder.
        """
        _, tokenizer = self.load()
        model = tokenizer.model
        unknown = tokenizer.token_to_id(model.unk_token) if getattr(model, "unk_token", None) else None
        frame = len(tokenizer.encode("").ids)

        plain = (
            min(_SHORT_WORD, self.settings.max_tokens - frame) if self._knows_ascii(tokenizer, unknown) else 0
        )
        found = [Reading(known=True, cut=False)] * len(texts)
        looked = [
            i
            for i, text in enumerate(texts)
            if not (len(text) <= plain and text.isascii() and text.isprintable())
        ]

        def work(start: int) -> int:
            some = looked[start : start + _READ]
            for i, encoded in zip(some, tokenizer.encode_batch_fast([texts[i] for i in some]), strict=True):
                tokens = max(len(encoded.ids) - frame, 1)
                found[i] = Reading(2 * encoded.ids.count(unknown) < tokens, bool(encoded.overflowing))
            return len(some)

        done = len(texts) - len(looked)
        progress("read", done, len(texts))
        with closing(each(work, range(0, len(looked), _READ), chunk=1, threads=self.threads)) as read:
            for count in read:
                done += count
                progress("read", done, len(texts))
        return found

    @staticmethod
    def _knows_ascii(tokenizer: Any, unknown: int | None) -> bool:
        """Tell whether each printable ASCII character is a token, at the beginning of a word and within.

        Then short texts of them have no unknown token: every word can be cut into its characters.
        """
        characters = [chr(code) for code in range(33, 127)]
        tried = [*characters, *(f"a{character}" for character in characters)]
        return not any(unknown in encoded.ids for encoded in tokenizer.encode_batch_fast(tried))

    def check(self) -> None:
        """Make sure that it gives a vector for texts of every kind and length, and knows all its tokens.

        Raises:
            ModelFileError: it does not, or puts no tokens before and after a text.
        """
        session, tokenizer = self.load()
        self._vectors(session, tokenizer, _TRIED)
        if len(tokenizer.encode("").ids) < len(("[CLS]", "[SEP]")):
            raise ModelFileError(
                f"{self._tokenizer} puts no tokens before and after a text",
                "only BERT encoders can be imported",
            )
        last = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
        try:
            session.run(None, {"input_ids": np.array([[last]], np.int64)})
        except Exception as error:  # as in _vectors
            raise ModelFileError(
                f"{self._tokenizer} has tokens that the encoder does not know", "give it its own tokenizer"
            ) from error

    def close(self) -> None:
        """Give the memory back. Calling it again does nothing; `encode` loads again."""
        with self._lock:
            self._loaded = None

    def load(self) -> tuple[Any, Any]:
        """Return the session and the tokenizer, loading them the first time.

        Raises:
            ModelFileError: the graph or the tokenizer is missing, damaged or not an encoder.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = interruptible.run(self._load_both)
            return self._loaded

    def _load_both(self) -> tuple[Any, Any]:
        """Load the graph and the tokenizer at the same time: neither needs the interpreter for long."""
        parts = (self._load_graph, self._load_tokenizer)
        graph, tokenizer = each(lambda load: load(), parts, chunk=1, threads=len(parts))
        return graph, tokenizer

    def _load_graph(self) -> Any:
        """Load the graph for single-threaded runs and check its inputs and outputs."""
        onnxruntime = silent_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        try:
            self._graph.open("rb").close()  # says why it cannot be read, which onnxruntime does not
            # By its path: of bytes it makes a copy, and holds the interpreter all the while.
            session = onnxruntime.InferenceSession(self._graph, options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise ModelFileError(f"{self._graph} cannot be read: {error.strerror or error}") from error
        except Exception as error:  # as in _vectors
            raise ModelFileError(f"{self._graph} is not an ONNX graph: {_first_line(error)}") from error
        inputs = [node.name for node in session.get_inputs()]
        outputs = [node.shape for node in session.get_outputs()]
        if inputs != ["input_ids"] or outputs != [[self.settings.dimension]]:
            raise ModelFileError(f"{self._graph} is not an encoder of {self.settings.dimension} dimensions")
        return session

    def _load_tokenizer(self) -> Any:
        """Load the tokenizer, with our own length in place of the file's."""
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_str(self._tokenizer.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelFileError(f"{self._tokenizer} cannot be read: {error.strerror or error}") from error
        except BaseException as error:  # as in _vectors
            if not _is_theirs(error):
                raise
            raise ModelFileError(f"{self._tokenizer} is not a tokenizer: {_first_line(error)}") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.settings.max_tokens)
        return tokenizer


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


def _is_theirs(error: BaseException) -> bool:
    """Tell whether the tokenizers package has raised this: bare exceptions, and panics."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def _first_line(error: BaseException) -> str:
    """Return a library's message without what follows its first line."""
    return (str(error).splitlines() or [type(error).__name__])[0]
