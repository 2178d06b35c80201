"""One network of an encoder at work: an ONNX graph, a tokenizer, and int8 out.

    >>> network = LoadedNetwork(Network(graph, tokenizer, EncoderSettings(384, 400, 256)))
    >>> network.vectors(["Uber to the airport"]).shape
    (1, 384)

A text that is longer than the network reads at a time is cut into windows of that length. Its vector is the
direction of the windows' mean, in which each counts by its tokens.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_icl.encode.settings import CENTRE_UNIT, numbers_of
from edge_icl.errors import ModelFileError
from edge_icl.runtime.threads import each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.encode.settings import Network

    Floats = NDArray[np.float32]

_LIMIT = 127  # the vectors are symmetric: -128 is never used
_TRIED = ("a", "", "a taxi to the airport " * 2000, "".join(map(chr, (*range(32, 0xD7FF, 7), 0x1F600))))
_FATAL = 4  # onnxruntime's log levels end here; what matters to a caller is raised
_UNKNOWN = ("<unk>", "[UNK]")  # the names that it has where the tokenizer does not say
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
        parts = (self._load_graph, self._load_tokenizer)
        self._session, self._tokenizer = each(lambda load: load(), parts, chunk=1, threads=len(parts))
        self._frame = len(self._tokenizer.encode("").ids)
        self._centre = _centre(files.settings.centre)
        self._plain: int | None = None

    def vectors(self, texts: Sequence[str]) -> NDArray[np.int8]:
        """Return one vector a text, int8 [texts, dimension]; each text, and each window of it, runs alone.

        A run leaves nothing else in the processor's caches, and what comes between two runs takes two to seven
        times as long as it does in a row. So all texts are tokenized before the first run and all outputs
        rounded after the last.

        Raises:
            ModelFileError: the tokenizer or the graph fails, or the vectors are not finite.
        """
        windows = [self._windows(text) for text in texts]
        try:
            outputs = [
                [self._session.run(None, {"input_ids": np.array([ids], np.int64)})[0] for ids in own]
                for own in windows
            ]
        except Exception as error:  # onnxruntime raises classes of its own that share no better base
            raise ModelFileError(f"{self._files.graph} does not run: {_first_line(error)}") from error
        with np.errstate(invalid="ignore", over="ignore"):
            pooled = [self._pooled(own, found) for own, found in zip(windows, outputs, strict=True)]
            moved = pooled if self._centre is None else pooled - self._centre
            scaled = np.rint(np.multiply(moved, self.settings.scale, dtype=np.float32))
        if not np.isfinite(scaled).all():
            raise ModelFileError(
                f"{self._files.graph} gives vectors that are not finite numbers",
                "use another encoder, or fetch it again",
            )
        made: NDArray[np.int8] = np.clip(scaled, -_LIMIT, _LIMIT).astype(np.int8)
        return made

    def _windows(self, text: str) -> list[list[int]]:
        """Return the tokens of each window of a text that is read."""
        try:
            first = self._tokenizer.encode(self.settings.instruction + text)
        except BaseException as error:  # a panic of a Rust library is not an Exception
            if not _is_theirs(error):
                raise
            raise ModelFileError(f"{self._files.tokenizer} cannot read a text: {_first_line(error)}") from error
        if self.settings.windows == 1:
            return [first.ids]
        return [window.ids for window in (first, *first.overflowing[: self.settings.windows - 1])]

    def _pooled(self, windows: list[list[int]], outputs: list[Floats]) -> Floats:
        """Return the direction of the mean of a text's windows, f32[dimension]."""
        if len(windows) == 1:
            return outputs[0]
        mean = np.zeros(self.settings.dimension)
        for ids, output in zip(windows, outputs, strict=True):
            mean += (len(ids) - self._frame) * output.astype(np.float64)
        return np.asarray(mean / np.sqrt((mean * mean).sum()), np.float32)

    def readings(self, texts: Sequence[str]) -> list[Reading]:
        """Return how much of each text the network reads; no vector is made."""
        if self._plain is None:
            self._plain = self._plain_characters()
        plain = self._plain
        found = [Reading(known=True, cut=False)] * len(texts)
        looked = [
            i
            for i, text in enumerate(texts)
            if not (len(text) <= plain and text.isascii() and text.isprintable())
        ]
        before = self.settings.instruction
        for i, encoded in zip(
            looked, self._tokenizer.encode_batch_fast([before + texts[i] for i in looked]), strict=True
        ):
            found[i] = self._reading(encoded)
        return found

    def _reading(self, encoded: Any) -> Reading:
        """Return how much of a text is read, given its tokens."""
        windows = [encoded, *encoded.overflowing[: self.settings.windows - 1]]
        unknown = sum(window.ids.count(self._unknown()) for window in windows)
        own = len(self._tokenizer.encode(self.settings.instruction).ids) - self._frame
        tokens = sum(len(window.ids) - self._frame for window in windows) - own
        return Reading(2 * unknown < max(tokens, 1), len(encoded.overflowing) >= self.settings.windows)

    def _unknown(self) -> int | None:
        """Return the token that stands for what the vocabulary does not have, None where there is none."""
        own = getattr(self._tokenizer.model, "unk_token", None)
        names = _UNKNOWN if own is None else (own,)
        found = (self._tokenizer.token_to_id(name) for name in names)
        return next((token for token in found if token is not None), None)

    def _plain_characters(self) -> int:
        """Return up to how many characters an ASCII text needs no look: it is known and not cut."""
        characters = [chr(code) for code in range(33, 127)]
        # Where each printable character is a token, at the beginning of a word and within, every word can be
        # cut into its characters.
        tried = [*characters, *(f"a{character}" for character in characters)]
        unknown = self._unknown()
        if any(unknown in encoded.ids for encoded in self._tokenizer.encode_batch_fast(tried)):
            return 0
        free = self.settings.max_tokens - len(self._tokenizer.encode(self.settings.instruction).ids)
        return min(_SHORT_WORD, free)

    def check(self) -> None:
        """Make sure that it gives a vector for texts of every kind and length, and knows all its tokens.

        Raises:
            ModelFileError: it does not, or puts no tokens before and after a text.
        """
        self.vectors(_TRIED)
        if self._frame < len(("[CLS]", "[SEP]")):
            raise ModelFileError(
                f"{self._files.tokenizer} puts no tokens before and after a text",
                "only BERT encoders can be imported",
            )
        last = max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
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
            raise ModelFileError(f"{graph} cannot be read: {error.strerror or error}") from error
        except Exception as error:  # as in vectors
            raise ModelFileError(f"{graph} is not an ONNX graph: {_first_line(error)}") from error
        inputs = [node.name for node in session.get_inputs()]
        outputs = [node.shape for node in session.get_outputs()]
        if inputs != ["input_ids"] or outputs != [[self.settings.dimension]]:
            raise ModelFileError(f"{graph} is not an encoder of {self.settings.dimension} dimensions")
        return session

    def _load_tokenizer(self) -> Any:
        """Load the tokenizer, with our own length in place of the file's."""
        from tokenizers import Tokenizer

        path = self._files.tokenizer
        try:
            tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
        except BaseException as error:  # as in _windows
            if not _is_theirs(error):
                raise
            raise ModelFileError(f"{path} is not a tokenizer: {_first_line(error)}") from error
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


def _centre(text: str) -> Floats | None:
    """Return a centre f32[dimension], exactly, None for none."""
    return np.array(numbers_of(text), np.float32) / np.float32(CENTRE_UNIT) if text else None


def _is_theirs(error: BaseException) -> bool:
    """Tell whether the tokenizers package has raised this: bare exceptions, and panics."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def _first_line(error: BaseException) -> str:
    """Return a library's message without what follows its first line."""
    return (str(error).splitlines() or [type(error).__name__])[0]
