"""What the tools for assistants are called with: models, from which a client gets a schema."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LEAST_SIMILARITY = 0.5
"""What `like` may ask for: below about this, every example is like every text."""

MOST_SHOWN = 200
"""Examples of one dry run: a person must be able to read what would go."""

Text = Annotated[str, StringConstraints(max_length=100_000)]
"""An input or an output: more than the context of a model that runs on a user's machine."""

Word = Annotated[str, StringConstraints(max_length=1000)]
"""A tag, a source, an id, a token."""


class Arguments(BaseModel):
    """What a tool is called with: no other names, and no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Filtered(Arguments):
    """Which examples are meant."""

    match: Annotated[
        Text | None, Field(description="Those whose input or output holds this text as a person reads it.")
    ] = None
    output: Annotated[
        Text | None, Field(description="Those with exactly this output, such as a label; see labels.")
    ] = None
    source: Annotated[Word | None, Field(description="Those from exactly this source.")] = None
    tag: Annotated[Word | None, Field(description="Those with exactly this tag.")] = None


class AddArguments(Arguments):
    """See `add`."""

    input: Annotated[Text, Field(description="What a question will look like, such as: Uber to the airport")]
    output: Annotated[Text, Field(description="The answer wanted for it, such as: travel")]
    tags: Annotated[list[Word], Field(max_length=100, description="Words to find the example by.")] = []
    source: Annotated[Word | None, Field(description="Where it comes from, such as a file or a person.")] = None


class AskArguments(Arguments):
    """See `ask`."""

    question: Annotated[Text, Field(description="An input like those of the examples.")]


class SearchArguments(Arguments):
    """See `search`."""

    text: Annotated[Text, Field(description="A text like the inputs of the examples.")]
    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 10


class ListArguments(Filtered):
    """See `list`."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 20
    cursor: Annotated[
        str | None,
        Field(pattern="^[0-9a-f]{32}$", description="next_cursor of the page before; none for the first."),
    ] = None


class LabelsArguments(Arguments):
    """See `labels`."""

    limit: Annotated[int, Field(ge=1, le=1000, description="How many at most.")] = 100


class CheckArguments(Arguments):
    """See `check`."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many of each kind at most.")] = 10


class StatusArguments(Arguments):
    """See `status`."""


class DryRunArguments(Filtered):
    """See `forget_dry_run`."""

    ids: Annotated[
        list[Word], Field(max_length=MOST_SHOWN, description="Ids of examples; their first digits are enough.")
    ] = []
    like: Annotated[Text | None, Field(description="Those whose input is nearly this text.")] = None
    min_similarity: Annotated[
        float | None, Field(ge=LEAST_SIMILARITY, le=1, description="How near to `like`, up to 1 for the same.")
    ] = None


class ForgetArguments(Arguments):
    """See `forget`."""

    token: Annotated[Word, Field(description="What forget_dry_run returned.")]


class FixDryRunArguments(Arguments):
    """See `fix_dry_run`."""

    id: Annotated[Word, Field(description="Of the example; its first digits are enough.")]
    output: Annotated[Text, Field(description="The output that it should have, such as: travel")]


class FixArguments(Arguments):
    """See `fix`."""

    token: Annotated[Word, Field(description="What fix_dry_run returned.")]
