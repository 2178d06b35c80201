"""Whether examples fit into a prompt, asked before anything is embedded or a store is touched.

    >>> with Lengths() as lengths:
    ...     lengths.check(Example.create("Uber to the airport", "travel"))

Most examples are so short that their bytes tell, once the length of the model's context is read from the header
of its file, which takes a fifth of a millisecond. The vocabulary loads with the first example that may be too
long, and is kept for the next: loading it takes twenty times as long as counting three thousand words.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from edge_icl.errors import ModelError
from edge_icl.llm.engine_options import CONTEXT
from edge_icl.runtime import fork

if TYPE_CHECKING:
    from edge_icl.example import Example
    from edge_icl.llm.vocabulary import Vocabulary


class Lengths:
    """Checks lengths; close it, or use it in a `with` statement. Safe to use from several threads.

    Args:
        model: name of the LLM that will read the examples, or its path; None for the default.
    """

    def __init__(self, model: str | None = None) -> None:
        self._wanted = model
        self._lock = threading.Lock()
        self._vocabulary: Vocabulary | None = None
        self._context: int | None = None
        fork.renewed(self)

    def renew(self) -> None:
        """Begin again in a forked process."""
        fork.leave(self._vocabulary)
        self._lock = threading.Lock()
        self._vocabulary = None
        self._context = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back. Calling it again does nothing."""
        with self._lock:
            if self._vocabulary is not None:
                self._vocabulary.close()
                self._vocabulary = None

    def check(self, example: Example) -> None:
        """Raise unless a prompt has room for the example.

        Raises:
            InputError: it is too long, with both lengths.
            ModelMissingError: it may be too long, and the model that could tell is not on this machine.
            ModelFileError: the example is long, and the model's file is damaged, or llama.cpp refuses it.
        """
        from edge_icl.prompt import prompt

        prompt.check_fits(example, context=self._room(), count=self._count)

    def _room(self) -> int:
        """Return how many tokens the model can take; where it is not here, how many a model may be given."""
        with self._lock:
            if self._context is None:
                from edge_icl.models import gguf, location

                try:
                    trained = gguf.context_length(location.find_file(self._wanted))
                except (ModelError, OSError):  # the question that needs the model says what is wrong
                    return CONTEXT
                self._context = min(CONTEXT, trained or CONTEXT)
            return self._context

    def _count(self, text: str) -> int:
        """Return how many tokens a text has."""
        with self._lock:
            if self._vocabulary is None:
                from edge_icl.llm.vocabulary import Vocabulary
                from edge_icl.models.checked import readable

                self._vocabulary = Vocabulary.load(readable(self._wanted))
            return self._vocabulary.count(text)
