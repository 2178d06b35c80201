"""What is returned: a chat completion, or chunks of one, as dicts in OpenAI's shape."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_icl.answer.alone import Spoken

if TYPE_CHECKING:
    from edge_icl.answer.reply import Reply

NO_MODEL = "edge-icl"
"""In the place of the model's name where none was asked: the answer was taught, or the examples suffice."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer that has ended.

    Attributes:
        text: the answer; None where none is given.
        complete: whether it came to its own end.
        tokens: how many the model has read, and how many it wrote.
        ours: what OpenAI has no place for.
        refusal: why no answer is given.
    """

    text: str | None
    complete: bool
    tokens: tuple[int, int]
    ours: dict[str, Any]
    refusal: str | None = None

    @classmethod
    def of(cls, reply: Reply | Spoken) -> Outcome:
        """Return what a store, or a model alone, has answered."""
        ours: dict[str, Any]
        if isinstance(reply, Spoken):
            ours = {"kind": "written", "probability": None, "unlike": False, "examples": []}
            return cls(reply.text, reply.complete, reply.tokens, ours)
        answer = reply.answer
        ours = {
            "kind": answer.kind,
            "probability": answer.probability,
            "unlike": answer.unlike,
            "examples": [one.id for one in answer.examples],
        }
        unsure = f"no answer is sure enough; the likeliest are {answer.likeliest}"
        return cls(answer.text, answer.complete, reply.tokens, ours, unsure if answer.text is None else None)

    @property
    def finish_reason(self) -> str:
        """Why it ended, in OpenAI's words."""
        return "stop" if self.complete else "length"

    @property
    def usage(self) -> dict[str, int]:
        """The tokens that it took."""
        read, written = self.tokens
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


@dataclass(frozen=True, slots=True)
class Head:
    """What a completion, and each chunk of one, begins with.

    Attributes:
        model: the name of the LLM that is asked, or `NO_MODEL`.
        id: of the completion.
        created: when; seconds since 1970.
    """

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    @classmethod
    def of(cls, reply: Reply | Spoken) -> Head:
        """Return that of an answer in the making."""
        asked = reply.model if isinstance(reply, Spoken) else reply.answer.model
        return cls(asked or NO_MODEL)

    def completion(self, ended: Outcome) -> dict[str, Any]:
        """Return the whole answer."""
        message = {"role": "assistant", "content": ended.text, "refusal": ended.refusal}
        choice = {"index": 0, "message": message, "finish_reason": ended.finish_reason, "logprobs": None}
        return self._with("chat.completion", [choice], usage=ended.usage, edge_icl=ended.ours)

    def chunk(self, delta: dict[str, Any], *, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
        """Return a piece of an answer."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return self._with("chat.completion.chunk", [choice], **more)

    def usage(self, ended: Outcome) -> dict[str, Any]:
        """Return the last chunk where the tokens are asked for."""
        return self._with("chat.completion.chunk", [], usage=ended.usage)

    def _with(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Return an object of OpenAI's."""
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "choices": choices, **more}
