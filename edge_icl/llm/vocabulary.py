"""Text to tokens and back, for one GGUF file.

    >>> with Vocabulary.load(path) as vocabulary:
    ...     vocabulary.count("Taxi downtown")
    4

A vocabulary can be loaded without the weights, which is enough to refuse an example that no context holds.
Text is always text: a `<|im_end|>` typed by a user is tokenized as the characters that it is made of. Only in
what a chat template wrote, between two `MARK`s, is it the token of that name.
"""

from __future__ import annotations

import codecs
import ctypes
import re
import threading
from typing import TYPE_CHECKING, Any, Self

from edge_icl.errors import ModelError, ModelFileError, ModelMissingError
from edge_icl.llm.engine_options import DEFAULTS, EngineOptions
from edge_icl.llm.native import complaint, llama
from edge_icl.prompt.prompt import MARK
from edge_icl.runtime import fork, interruptible
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REFUSED = "`edge-icl models verify` tells whether it is damaged; if it is not, use another file or model"


class Vocabulary:
    """The tokens of a GGUF file. Made by `load`, or by a model that brings its weights.

    Every method may be called from several threads.
    """

    def __init__(self, model: int) -> None:
        self._llama = llama()
        self._lock = threading.Lock()
        self._model: int | None = model
        self._vocab = self._llama.llama_model_get_vocab(model)
        self.size = int(self._llama.llama_vocab_n_tokens(self._vocab))
        self._pieces: dict[int, bytes] = {}  # a grammar may ask for all of them, for each token
        self._ends: dict[int, bool] = {}
        self.start: tuple[int, ...] = ()
        if self._llama.llama_vocab_get_add_bos(self._vocab):
            self.start = (int(self._llama.llama_vocab_bos(self._vocab)),)
        self.end = self._end()
        # SentencePiece vocabularies put a space before every text; `tokenize` must not let it become two.
        self._adds_space = False
        self._adds_space = self.piece(self._raw("x")[0]).startswith(b" ")
        fork.renewed(self)

    def renew(self) -> None:
        """Take a new lock in a forked process."""
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the vocabulary of a GGUF file and leave its weights on the disk.

        Raises:
            ModelMissingError: there is no such file.
            ModelFileError: llama.cpp refuses it.
        """
        return cls(load_file(path, vocab_only=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def model(self) -> int:
        """llama.cpp's pointer to the model."""
        if self._model is None:
            raise ModelError("the model is closed", "load it again")
        return self._model

    def close(self) -> None:
        """Give the memory back. Calling it again does nothing."""
        with self._lock:
            if self._model is not None:
                self._llama.llama_model_free(self._model)
                self._model = None

    def tokenize(self, text: str, *, start: bool = False) -> list[int]:
        """Return the tokens of `text`.

        Args:
            text: read as plain text, except for markup; a leading space is one space, whatever the vocabulary.
            start: put the token before it that begins a sequence, where the model has one.
        """
        with self._lock:
            return [*(self.start if start else ()), *self._marked(text)]

    def count(self, text: str) -> int:
        """Return how many tokens `text` has."""
        return len(self.tokenize(text))

    def length(self, text: str) -> int:
        """Return how many bytes a plain text's tokens stand for: some vocabularies put a space before it."""
        return len(text.encode()) + (self._adds_space and not text.startswith(" "))

    def piece(self, token: int) -> bytes:
        """Return the UTF-8 bytes that a token stands for; they may end within a character."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._piece(token)
        return known

    def ends(self, token: int) -> bool:
        """Return whether the model says with this token that its answer is over."""
        known = self._ends.get(token)
        if known is None:
            with self._lock:
                known = self._ends[token] = bool(self._llama.llama_vocab_is_eog(self._live(), token))
        return known

    def metadata(self, key: str) -> str:
        """Return a value of the GGUF header as text, "" where it has none."""
        buffer = ctypes.create_string_buffer(1024)
        with self._lock:
            self._llama.llama_model_meta_val_str(self.model, key.encode(), buffer, len(buffer))
        return buffer.value.decode(errors="replace")

    @property
    def template(self) -> str:
        """The chat template that the file brings, "" where it has none."""
        with self._lock:
            return (self._llama.llama_model_chat_template(self.model, None) or b"").decode(errors="replace")

    @property
    def end_name(self) -> str:
        """What chat templates write for the model's end token."""
        with self._lock:
            token = self._llama.llama_vocab_eos(self._live())
            return self._name(token) if token >= 0 else ""

    def _marked(self, text: str) -> list[int]:
        """Tokenize text with markup: plain text runs on to the next special token."""
        tokens: list[int] = []
        run = ""
        for index, part in enumerate(text.split(MARK)):
            for plain, special in self._split(part) if index % 2 else [(part, None)]:
                run += plain
                if special is not None:
                    tokens += self._raw(run) if run else ()
                    tokens.append(special)
                    run = ""
        return tokens + (self._raw(run) if run else [])

    def _split(self, markup: str) -> list[tuple[str, int | None]]:
        """Cut markup after each special token, whose names are known by tokenizing it so."""
        library = self._llama
        kinds = library.LLAMA_TOKEN_ATTR_CONTROL | library.LLAMA_TOKEN_ATTR_USER_DEFINED
        found = {token for token in self._raw(markup, special=True) if self._attributes(token) & kinds}
        names = {self._name(token): token for token in found}
        if not names:
            return [(markup, None)]
        longest_first = sorted(map(re.escape, names), key=len, reverse=True)
        cut = re.split(f"({'|'.join(longest_first)})", markup)
        specials: list[int | None] = [names[name] for name in cut[1::2]]
        return list(zip(cut[::2], [*specials, None], strict=True))

    def _piece(self, token: int) -> bytes:
        """Ask llama.cpp for the bytes of a token."""
        length = 64
        with self._lock:
            while True:
                buffer = ctypes.create_string_buffer(length)
                used = self._llama.llama_token_to_piece(self._live(), token, buffer, length, 0, False)
                if used >= 0:
                    return buffer.raw[:used]
                length = -used

    def _attributes(self, token: int) -> int:
        """Return llama.cpp's flags of a token."""
        return int(self._llama.llama_vocab_get_attr(self._live(), token))

    def _name(self, token: int) -> str:
        """Return the name of a special token."""
        return str(self._llama.llama_vocab_get_text(self._live(), token).decode(errors="replace"))

    def _raw(self, text: str, *, special: bool = False) -> list[int]:
        """Tokenize, without a lock; `special` takes names of special tokens for those tokens."""
        vocab = self._live()
        if self._adds_space and text.startswith(" "):
            text = text[1:]
        data = text.encode()
        room = len(data) + 2
        tokens = (ctypes.c_int32 * room)()
        used = self._llama.llama_tokenize(vocab, data, len(data), tokens, room, False, special)
        if used < 0:
            raise ModelError(f"llama.cpp cannot tokenize a text of {len(data)} bytes")
        return list(tokens[:used])

    def _end(self) -> int | None:
        """Return a token with which the model ends an answer, if it has one."""
        for token in (self._llama.llama_vocab_eot(self._vocab), self._llama.llama_vocab_eos(self._vocab)):
            if token >= 0 and self._llama.llama_vocab_is_eog(self._vocab, token):
                return int(token)
        return None

    def _live(self) -> Any:
        """Return llama.cpp's pointer to the vocabulary, or say that the model is closed."""
        return self.model and self._vocab


class Decoder:
    """Tokens to text, one at a time: bytes of an unfinished character wait for the rest of it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token: int) -> str:
        """Return the characters that `token` completes."""
        return self._utf8.decode(self._vocabulary.piece(token))


def load_file(
    path: Path,
    options: EngineOptions = DEFAULTS,
    *,
    vocab_only: bool = False,
    progress: Progress = silent,
) -> int:
    """Load a GGUF file and return llama.cpp's pointer to it.

    Args:
        path: the file.
        options: how the model is to be run.
        vocab_only: leave the weights on the disk.
        progress: called from this thread, stage "load", in bytes of the file; what it raises ends the loading.

    Raises:
        ModelMissingError: there is no such file.
        ModelFileError: llama.cpp refuses it.
    """
    if not path.is_file():
        raise ModelMissingError(
            f"there is no model at {path}", "give the path of a .gguf file; `edge-icl models fetch` brings one"
        )
    library = llama()
    parameters = library.llama_model_default_params()  # with mmap: processes share the weights in memory
    parameters.vocab_only = vocab_only
    on_gpu = library.llama_supports_gpu_offload() and not vocab_only
    every = -1 if options.gpu_layers is None else options.gpu_layers
    parameters.n_gpu_layers = every if on_gpu else 0
    parameters.use_extra_bufts = options.extra_buffers
    listener = _Listener(progress, path.stat().st_size)
    parameters.progress_callback = library.llama_progress_callback(listener.hear)
    complaint()
    model = listener.listen(lambda: library.llama_model_load_from_file(str(path).encode(), parameters))
    if not model:
        raise ModelFileError(f"llama.cpp refuses {path}: {complaint()}", _REFUSED)
    return int(model)


class _Listener:
    """Passes llama.cpp's progress on, in whole percents, from the thread that loads to the one that waits."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._percent = -1
        self._stopped = False
        self._work: interruptible.Work[int | None]

    def listen(self, load: Callable[[], int | None]) -> int | None:
        """Return load(), done in another thread; what the callback raises, or Ctrl-C, ends it."""
        self._work = interruptible.Work(load, stop=self._stop, discard=_free)
        return self._work.run()

    def hear(self, share: float, _data: object) -> bool:
        """Take one report and say whether to go on."""
        percent = int(100 * share)
        if percent > self._percent:
            self._percent = percent
            done = self._total * percent // 100
            self._work.tell(lambda: self._progress("load", done, self._total))
        return not self._stopped

    def _stop(self) -> None:
        """End the loading at its next report."""
        self._stopped = True


def _free(model: int | None) -> None:
    """Give the memory of a model back that was loaded too late."""
    if model:
        llama().llama_model_free(model)
