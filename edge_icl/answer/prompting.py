"""The model of an open store beside one snapshot: prompts that fit it, and prefixes that it has evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.access.cache_key import home_key
from edge_icl.answer.selection import SELECTIONS
from edge_icl.errors import InputError
from edge_icl.example import normalise
from edge_icl.llm.prefix import Prefixes
from edge_icl.prompt import prompt as prompts
from edge_icl.store.prefix_cache import PrefixCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.answer.options import Options
    from edge_icl.answer.selection import Chosen
    from edge_icl.llm.model import Model
    from edge_icl.prompt.chat import Chat
    from edge_icl.prompt.prompt import Prompt, PromptFormat
    from edge_icl.results import Held
    from edge_icl.store.reading import StoreReader
    from edge_icl.store.snapshot import Snapshot

ROOM_FOR_ANSWER = 64
"""Tokens of the context that a prompt leaves free at least."""

MOST_TASKS = 8
"""Of so many tasks at most a chat is kept in memory; a program that writes the time into each has many."""


class Prompting:
    """Makes prompts for one model about one snapshot.

    Args:
        store: the store.
        snapshot: the state that is asked.
        model: the LLM.
        name: what the user calls it.

    Attributes:
        name: as given.
    """

    def __init__(self, store: StoreReader, snapshot: Snapshot, model: Model, name: str) -> None:
        self.name = name
        self._task = snapshot.settings.task
        self._lasting = Prefixes(model, disk=PrefixCache(store, snapshot, home_key(make=store.writes)))
        self._passing = Prefixes(model)
        self._chats: dict[str, Chat] = {}

    def clear(self) -> None:
        """Drop every KV state in memory."""
        self._lasting.clear()
        self._passing.clear()

    def prefixes(self, select: str, options: Options) -> Prefixes:
        """Return where states of prompts are kept: on the disk too, where the next question has the same."""
        lasts = SELECTIONS[select].lasting and self._task_of(options) == self._task
        return self._lasting if lasts else self._passing

    def fit(
        self, question: str, chosen: Chosen, examples: Sequence[Held], labels: Sequence[str], options: Options
    ) -> Prompt:
        """Return a prompt that leaves room for its answer.

        Args:
            question: normalised.
            chosen: the ids of the examples.
            examples: the same, read.
            labels: those to choose among; none where the answer is to be written.
            options: its format and its task.

        Raises:
            InputError: the question or a label is too long.
            ModelError: it is to be a chat, and the model has no template for one.
        """
        form, prefixes = self._form(options), self._lasting
        model = prefixes.model
        longest = max((len(prefixes.label(label, form)) for label in labels), default=0)
        if longest > model.context - ROOM_FOR_ANSWER:
            raise InputError(
                f"a label has {longest} tokens and the model has room for {model.context - ROOM_FOR_ANSWER}",
                "use a shorter label, or let the model not be asked",
            )
        return prompts.fit(
            question,
            prefix=[held.example for held in examples[: len(chosen.prefix)]],
            extra=[held.example for held in examples[len(chosen.prefix) :]],
            budget=model.context - max(ROOM_FOR_ANSWER, longest),
            count=prefixes.count,
            form=form,
        )

    def _form(self, options: Options) -> PromptFormat:
        """Return the prompt's format."""
        task = self._task_of(options)
        if options.prompt != "chat":  # benchmarks/prompts.py: plain is what "auto" stands for
            return prompts.Plain(task)
        chat = self._chats.get(task)
        if chat is None:
            if len(self._chats) == MOST_TASKS:
                self._chats.clear()
            chat = self._chats[task] = self._lasting.model.chat(task)
        return chat

    def _task_of(self, options: Options) -> str:
        """Return what is asked of the model, in words."""
        if options.task is None:
            return self._task
        return normalise(options.task, "task").strip() if options.task else ""
