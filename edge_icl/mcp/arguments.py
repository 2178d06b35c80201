"""What the tools for assistants are called with: models, from which a client gets a schema."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LEAST_SIMILARITY = 0.5
"""What `like` may ask for: below about this, every example is like every text."""


class Arguments(BaseModel):
    """What a tool is called with: no other names, and no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AddArguments(Arguments):
    """See `add`."""

    input: Annotated[str, Field(description="What a question will look like, such as: Uber to the airport")]
    output: Annotated[str, Field(description="The answer wanted for it, such as: travel")]
    tags: Annotated[list[str], Field(description="Words to find the example by.")] = []
    source: Annotated[str | None, Field(description="Where it comes from, such as a file or a person.")] = None


class AskArguments(Arguments):
    """See `ask`."""

    question: Annotated[str, Field(description="An input like those of the examples.")]


class SearchArguments(Arguments):
    """See `search`."""

    text: Annotated[str, Field(description="A text like the inputs of the examples.")]
    limit: Annotated[int, Field(ge=1, le=100, description="How many.")] = 10


class StatusArguments(Arguments):
    """See `status`."""


class DryRunArguments(Arguments):
    """See `forget_dry_run`."""

    ids: Annotated[list[str], Field(description="Ids of examples; their first digits are enough.")] = []
    match: Annotated[
        str | None, Field(description="Those whose input or output holds this text as a person reads it.")
    ] = None
    output: Annotated[str | None, Field(description="Those with this output, such as a label.")] = None
    source: Annotated[str | None, Field(description="Those from this source.")] = None
    tag: Annotated[str | None, Field(description="Those with this tag.")] = None
    like: Annotated[str | None, Field(description="Those whose input is nearly this text.")] = None
    min_similarity: Annotated[
        float | None, Field(ge=LEAST_SIMILARITY, le=1, description="How near to `like`, up to 1 for the same.")
    ] = None


class ForgetArguments(Arguments):
    """See `forget`."""

    token: Annotated[str, Field(description="What forget_dry_run returned.")]
