"""A LangChain example selector whose examples are in a store; needs the extra `langchain`.

    from edge_icl.langchain import EdgeExampleSelector

    selector = EdgeExampleSelector("work", input_keys=["question"], output_keys=["answer"], k=4)
    prompt = FewShotPromptTemplate(example_selector=selector, ...)

It takes the place of `SemanticSimilarityExampleSelector`, without a vector store: examples stay, and any of
them can be forgotten. A prompt that is made afterwards does not have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from edge_icl.errors import NotInstalledError
from edge_icl.fields import Chooser, Fields
from edge_icl.runtime.home import DEFAULT_STORE

try:
    from langchain_core.example_selectors import BaseExampleSelector
    from langchain_core.runnables import run_in_executor
except ModuleNotFoundError as error:
    raise NotInstalledError(
        f"EdgeExampleSelector needs a package that is missing, {error.name}",
        'install it: pip install "edge-icl[langchain]"',
    ) from error

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from edge_icl.answer.options import SelectMode
    from edge_icl.memory import Memory
    from edge_icl.results import Held, Receipt


class EdgeExampleSelector(BaseExampleSelector):
    """Chooses examples of a store for a prompt. Safe to use from several threads.

        >>> selector = EdgeExampleSelector("shown", input_keys=["question"], output_keys=["answer"], k=1)
        >>> id = selector.add_example({"question": "Uber to the airport", "answer": "travel"})
        >>> selector.select_examples({"question": "Taxi downtown"})
        [{'question': 'Uber to the airport', 'answer': 'travel'}]
        >>> len(selector.forget(id).ids)
        1
        >>> selector.close()

    Args:
        store: name or path of a store, which is made with its first example, or an open `Memory`.
        input_keys: names of the variables by which examples are chosen. One is an example's input; several are
            lines of it, each with its name before it.
        output_keys: names of an example's other variables, its output.
        k: how many examples are chosen, if there are so many.
        select: how: "nearest", the nearest last, where they say most; or another selection of edge-icl.

    Raises:
        InputError: keys, k or selection are not valid.
        EdgeIclError: what `Memory.open` raises, for a store that is not open.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | Memory = DEFAULT_STORE,
        *,
        input_keys: Sequence[str] = ("input",),
        output_keys: Sequence[str] = ("output",),
        k: int = 4,
        select: SelectMode = "nearest",
    ) -> None:
        fields = Fields.named(input_keys, output_keys)
        self._chooser = Chooser(store, fields, k=k, select=select)
        self.memory = self._chooser.memory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store, unless it was given open."""
        self._chooser.close()

    def add_example(self, example: Mapping[str, str]) -> str:
        """Add an example and return its id; adding it again changes nothing.

        Raises:
            InputError: a key is missing, or one is not held; or a text is empty or not valid.
        """
        (id,) = self.add_examples([example])
        return id

    def add_examples(self, examples: Iterable[Mapping[str, str]]) -> list[str]:
        """Add examples in one commit, all or none, and return their ids in their order.

        Raises:
            InputError: see `add_example`.
        """
        return self._chooser.add(examples)

    def select_examples(self, input_variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the examples for a prompt, in the order in which they stand there; none of an empty store.

        Args:
            input_variables: the prompt's variables; only the input keys count.

        Raises:
            InputError: an input key is missing, or an example in the store has other keys.
        """
        return self._chooser.choose(input_variables)

    def forget(self, *examples: str | Held | Mapping[str, str]) -> Receipt:
        """Forget examples in one commit; returns when they are wiped from the disk.

        Args:
            examples: ids, what the store's `find` and `search` return, or the examples themselves.

        Raises:
            ExampleNotFoundError: one is not there; nothing was forgotten.
        """
        return self._chooser.forget(examples)

    async def aforget(self, *examples: str | Held | Mapping[str, str]) -> Receipt:
        """Forget examples, as `forget` does, in a thread."""
        return await run_in_executor(None, self.forget, *examples)
