"""Demonstrations for DSPy programs, chosen from a store for each question; needs the extra `dspy`.

    from edge_icl.dspy import EdgeDemos

    demos = EdgeDemos("work", inputs=["question"], outputs=["answer"], k=4)
    program = demos.compile(dspy.Predict("question -> answer"))

It takes the place of `KNNFewShot`. A compiled program holds no example: each call reads the store as it is, so
what is forgotten is in no later prompt. DSPy would keep every prompt and answer in its cache on the disk, where
no forget reaches; calls with demonstrations do not use that cache unless `cache` is true.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from edge_icl.errors import InputError, NotInstalledError
from edge_icl.fields import Chooser, Fields
from edge_icl.forms import each
from edge_icl.runtime.home import DEFAULT_STORE

try:
    import dspy
    from dspy.teleprompt import Teleprompter
except ModuleNotFoundError as error:
    raise NotInstalledError(
        f"EdgeDemos needs a package that is missing, {error.name}",
        'install it: pip install "edge-icl[dspy]"',
    ) from error

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from edge_icl.answer.options import Options, SelectMode
    from edge_icl.memory import Memory
    from edge_icl.results import Held, Receipt


class EdgeDemos(Teleprompter):  # type: ignore[misc]  # it has no types
    """Examples of a store as demonstrations. Safe to use from several threads.

        >>> demos = EdgeDemos("desk", inputs=["question"], outputs=["answer"], k=1)
        >>> (id,) = demos.add([{"question": "Uber to the airport", "answer": "travel"}])
        >>> [demo.answer for demo in demos.choose(question="Taxi downtown")]
        ['travel']
        >>> len(demos.forget(id).ids), demos.trainset()
        (1, [])
        >>> demos.close()

    Args:
        store: name or path of a store, which is made with its first example, or an open `Memory`.
        inputs: names of the input fields. One is an example's input; several are lines of it, each with its
            name before it.
        outputs: names of the output fields, in the same way its output.
        k: how many demonstrations a prompt has, if there are so many.
        select: how they are chosen: "nearest", the nearest last, or another selection of edge-icl.
        cache: whether DSPy may keep prompts and answers in its cache, in memory and on the disk.

    Raises:
        InputError: fields, k or selection are not valid.
        EdgeIclError: what `Memory.open` raises, for a store that is not open.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | Memory = DEFAULT_STORE,
        *,
        inputs: Sequence[str] = ("question",),
        outputs: Sequence[str] = ("answer",),
        k: int = 4,
        select: SelectMode = "nearest",
        cache: bool = False,
    ) -> None:
        super().__init__()
        self._fields = Fields.named(inputs, outputs)
        self._chooser = Chooser(store, self._fields, k=k, select=select)
        self._cache = cache
        self.memory = self._chooser.memory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., EdgeDemos], tuple[Any, ...]]:
        return _again, (self.memory.path, self._fields, self._chooser.options, self._cache)

    def close(self) -> None:
        """Close the store, unless it was given open. Programs that were compiled cannot ask any more."""
        self._chooser.close()

    def add(self, examples: Iterable[Mapping[str, str] | dspy.Example]) -> list[str]:
        """Add examples in one commit, all or none, and return their ids in their order.

        Raises:
            InputError: a field is missing, not a text, or not held; or a text is empty.
        """
        return self._chooser.add(map(_row, examples))

    def trainset(self) -> list[dspy.Example]:
        """Return all examples, their inputs marked, for other optimizers; these copies are not forgotten.

        Raises:
            InputError: an example in the store has other fields.
        """
        return [self._demo(self._fields.values(held)) for held in self.memory.examples()]

    def choose(self, **inputs: Any) -> list[dspy.Example]:
        """Return the demonstrations for a question, in the order in which a prompt has them.

        Args:
            inputs: the question's fields; only the input fields count.

        Raises:
            InputError: one is missing or not a text, or an example in the store has other fields.
        """
        return [self._demo(row) for row in self._chooser.choose(inputs)]

    def compile(
        self, student: dspy.Module, *, trainset: Iterable[Mapping[str, str] | dspy.Example] | None = None
    ) -> dspy.Module:
        """Return a copy of a program whose predictors get demonstrations from the store with every call.

        Those predictors do that have all input and output fields. Pickling the copy takes the store's path
        along and no example.

        Args:
            student: the program.
            trainset: examples to add to the store first.

        Raises:
            InputError: no predictor has these fields, or an example cannot be held.
        """
        program = student.reset_copy()
        wanted = [one for one in program.predictors() if self._is_for(one)]
        if not wanted:
            raise InputError(
                f"no predictor of the program has the inputs {[*self._fields.inputs]} and the outputs "
                f"{[*self._fields.outputs]}",
                "name the fields of its signature as inputs and outputs",
            )
        if trainset is not None:
            self.add(trainset)
        for predictor in wanted:
            predictor.__class__ = _shown(type(predictor))
            predictor.source = self
        return program

    def forget(self, *examples: str | Held | Mapping[str, str] | dspy.Example) -> Receipt:
        """Forget examples in one commit; returns when they are wiped from the disk.

        Args:
            examples: ids, what the store's `find` and `search` return, or the examples themselves.

        Raises:
            ExampleNotFoundError: one is not there; nothing was forgotten.
        """
        rows = map(_row, examples)  # first, since an example of DSPy can be iterated over, as a list can
        return self._chooser.forget(map(_row, each(rows)))

    def given(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a predictor is called with, and demonstrations, where it is not called with some."""
        if "demos" in call:
            return {**call}
        config = {"cache": False} | (call.get("config") or {}) if not self._cache else call.get("config") or {}
        return {**call, "demos": self.choose(**call), "config": config}

    def _demo(self, row: Mapping[str, str]) -> dspy.Example:
        """Return an example as DSPy has it."""
        return dspy.Example(**row).with_inputs(*self._fields.inputs)

    def _is_for(self, predictor: dspy.Predict) -> bool:
        """Tell whether a predictor has the fields."""
        inputs, outputs = predictor.signature.input_fields, predictor.signature.output_fields
        return {*self._fields.inputs} <= {*inputs} and {*self._fields.outputs} <= {*outputs}


class _Shown:
    """What makes a kind of predictor one that gets demonstrations with every call.

    Attributes:
        source: where they come from.
    """

    source: EdgeDemos

    def forward(self, **call: Any) -> Any:
        """Predict, with demonstrations."""
        return super().forward(**self.source.given(call))  # type: ignore[misc]

    async def aforward(self, **call: Any) -> Any:
        """Predict, with demonstrations, which a thread looks up."""
        given = await asyncio.to_thread(self.source.given, call)
        return await super().aforward(**given)  # type: ignore[misc]


def _shown(kind: type[Any]) -> type[Any]:
    """Return a kind of predictor that gets demonstrations."""
    return kind if issubclass(kind, _Shown) else type(kind.__name__, (_Shown, kind), {})


def _again(path: os.PathLike[str], fields: Fields, options: Options, cache: bool) -> EdgeDemos:
    """Return the source of a program that was pickled."""
    return EdgeDemos(
        path,
        inputs=fields.inputs,
        outputs=fields.outputs,
        k=options.shots or 0,
        select=options.select,
        cache=cache,
    )


def _row(example: Any) -> Any:
    """Return the fields of an example of DSPy; anything else as it is."""
    return example.toDict() if isinstance(example, dspy.Example) else example
