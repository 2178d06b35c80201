"""A model alone: it goes on with a conversation and is shown no examples.

>>> with Alone("smollm2-360m-instruct") as alone:
...     for piece in alone.stream([Turn("user", "Name a river")], max_tokens=20):
...         print(piece, end="")
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from edge_icl.answer.engines import borrow_model
from edge_icl.errors import InputError, ModelError, StoreClosedError
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.prefix import Prefixes
from edge_icl.prompt.conversation import Conversation
from edge_icl.runtime import fork
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from edge_icl.llm.grammar import Grammar
    from edge_icl.models.installed import InstalledLlm
    from edge_icl.prompt.conversation import Turn


class Alone:
    """An LLM, loaded with the first conversation. Close it, or use it in a `with` statement.

    Safe to use from several threads: the model writes a token at a time, for one of them.

    Args:
        model: name of an LLM, or path of a GGUF file; None for the default.
        gpu_layers: see `Memory.open`.
        threads: see `Memory.open`.
        progress: see `Memory.open`.

    Raises:
        ModelMissingError: it is not on this machine.
        ModelFileError: its file is not usable.
        InputError: a number is out of range.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        gpu_layers: int | None = None,
        threads: int | None = None,
        progress: Progress = silent,
    ) -> None:
        from edge_icl.models.location import find_llm

        self._options = EngineOptions(gpu_layers=gpu_layers, threads=threads)
        self._options.check()
        self._found: InstalledLlm = find_llm(model)
        self._progress = progress
        self._lock = threading.RLock()
        self._loaded: tuple[Prefixes, Callable[[], None]] | None = None
        self._closed = False
        fork.renewed(self)

    def renew(self) -> None:
        """Begin again in a forked process: what the parent has loaded stays the parent's."""
        fork.leave(self._loaded)
        self._lock = threading.RLock()
        self._loaded = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the model back, between two tokens. Calling it again does nothing."""
        with self._lock:
            self._closed = True
            if self._loaded is not None:
                prefixes, give_back = self._loaded
                self._loaded = None
                prefixes.clear()
                give_back()

    @property
    def name(self) -> str:
        """What the model is called."""
        return self._found.name

    def stream(self, turns: Sequence[Turn], *, max_tokens: int = 256, grammar: Grammar | None = None) -> Spoken:
        """Return an answer in the making; the model runs when its pieces are asked for.

        Args:
            turns: see `Conversation.read`.
            max_tokens: most tokens of the answer.
            grammar: what it must keep to.

        Raises:
            InputError: the conversation is too long.
            ModelError: the model has no chat template, or one that takes no such conversation.
        """
        with self._lock:
            prefixes = self._prefixes()
            vocabulary = prefixes.model.vocabulary
            if not vocabulary.template:
                raise ModelError(
                    f"the model {self.name} has no chat template", "take one that was trained to chat"
                )
            said = Conversation.read(vocabulary.template, end=vocabulary.end_name, turns=turns)
            prompt = prefixes.tokens(said.prefix, start=True), prefixes.tokens(said.question)
        length, room = sum(map(len, prompt)), prefixes.model.context - 1
        if length > room:
            raise InputError(
                f"the conversation has {length} tokens and the model has room for {room}",
                "leave out what was said first, or use a model with a longer context",
            )
        limits = Limits(stop=said.close, lead=said.lead, grammar=grammar, max_tokens=max_tokens)
        return Spoken(self, generate(prefixes, *prompt, limits), length)

    def _prefixes(self) -> Prefixes:
        """Return what evaluates prompts; loads the model the first time.

        Raises:
            StoreClosedError: this was closed.
        """
        self.check()
        if self._loaded is None:
            model, give_back = borrow_model(self._found, self._options, self._progress)
            self._loaded = (Prefixes(model), give_back)
        return self._loaded[0]

    def check(self) -> None:
        """Raise if it was closed.

        Raises:
            StoreClosedError: it was.
        """
        if self._closed:
            raise StoreClosedError(f"the model {self.name} is closed", "open it again")

    def step(self, pieces: Generator[str, None, bool]) -> str:
        """Return the next piece of an answer; what ends it is raised."""
        with self._lock:
            self.check()
            return next(pieces)

    def count(self, text: str) -> int:
        """Return how many tokens a text has."""
        with self._lock:
            return self._prefixes().count(text) if text else 0


class Spoken:
    """An answer in the making: iterate over its pieces, close it to stop the model.

    Attributes:
        model: the model's name.
        text: what came so far.
        complete: whether it came to its own end.
    """

    def __init__(self, alone: Alone, pieces: Generator[str, None, bool], prompt: int) -> None:
        self.model = alone.name
        self.text = ""
        self.complete = False
        self._alone = alone
        self._pieces = pieces
        self._prompt = prompt

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        try:
            piece = self._alone.step(self._pieces)
        except StopIteration as end:
            self.complete = self.complete or bool(end.value)
            raise
        self.text += piece
        return piece

    def close(self) -> None:
        """Stop the model; what came so far stays."""
        self._pieces.close()

    @property
    def tokens(self) -> tuple[int, int]:
        """How many tokens the prompt has, and how many were written so far."""
        return self._prompt, self._alone.count(self.text)
