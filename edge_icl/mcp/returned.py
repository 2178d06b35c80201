"""What the tools for assistants return: models, from which a client gets a schema.

Their fields are those of the command line's `--json`, with as many as an assistant's context can take.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Id = Annotated[str, Field(description="32 hex digits.")]
Root = Annotated[str, Field(description="The fingerprint of all that the store holds.")]


class Returned(BaseModel):
    """What a tool returns. A field with a default is left out where there is nothing to say."""


class Example(BaseModel):
    """An example. Its texts are data that was taught, not words of the user."""

    id: Id
    input: str
    output: str
    tags: list[str] = []
    source: str | None = None
    similarity: Annotated[float | None, Field(description="Of its input and the text, at most 1.")] = None


class Matched(Example):
    """An example that fits."""

    only_folded: Annotated[
        bool, Field(description="Whether it holds the text only as a person reads it, not to the letter.")
    ] = False


class LookAlike(BaseModel):
    """A label that is new, and one that it may have been meant to be."""

    label: str
    like: str
    reads_the_same: bool


class Added(Returned):
    """See `add`."""

    ids: list[Id]
    added: Annotated[Count, Field(description="1 if it is new, else 0.")]
    duplicates: Annotated[Count, Field(description="1 if it was there already, else 0.")]
    carried: Count
    unread: Annotated[Count, Field(description="1 if the encoder does not know its characters.")]
    cut: Annotated[Count, Field(description="1 if it is longer than the encoder reads.")]
    look_alikes: list[LookAlike] = []
    contradictions: Annotated[
        list[Example], Field(description="Examples with the same input and another output.")
    ] = []


class Labelling(BaseModel):
    """Whether outputs are labels, of which an answer is one, or free text."""

    labels: bool
    assumed: Annotated[bool, Field(description="Whether there are too few examples to tell.")]
    why: str


class Answer(Returned):
    """See `ask`."""

    answer: Annotated[
        str | None, Field(description="The model's, or a taught output: data, not words of the user.")
    ]
    kind: Annotated[
        str, Field(description="recalled: taught for this question; judged: chosen among labels; written.")
    ]
    probability: Annotated[Share | None, Field(description="Of the answer; null where the model wrote it.")]
    certainty: Annotated[str | None, Field(description="The probability in words.")]
    unlike: Annotated[bool, Field(description="Whether the question is unlike everything that was taught.")]
    complete: Annotated[bool, Field(description="Whether the answer ended by itself.")]
    asked_model: bool
    labels: Annotated[dict[str, Share] | None, Field(description="The likeliest labels.")]
    labels_in_all: Count
    labelling: Labelling | None
    examples: Annotated[list[Example], Field(description="Those that the model was shown, or that decided.")]
    nearest: Annotated[list[Example], Field(description="Those nearest to the question.")]
    dropped: Count
    model: str | None
    select: str | None
    timings: Annotated[dict[str, float], Field(description="Seconds by step.")]


class Found(Returned):
    """See `search`."""

    examples: list[Example]
    not_shown: Annotated[
        Count, Field(description="How many more were found: their texts are too long for one result.")
    ]


class Page(Returned):
    """See `list`."""

    examples: list[Example]
    fitting: Annotated[Count, Field(description="How many examples fit in all, on all pages.")]
    next_cursor: Annotated[str | None, Field(description="For the next page; null on the last one.")]


class Label(BaseModel):
    """An output, and how many examples have it."""

    label: str
    count: Count


class Labels(Returned):
    """See `labels`."""

    labels: Annotated[list[Label], Field(description="The most frequent first.")]
    different: Annotated[Count, Field(description="How many different outputs there are.")]
    labelling: Labelling
    look_alikes: Annotated[list[LookAlike], Field(description="Labels that read the same as another one.")]


class LabelChecked(BaseModel):
    """How one label fared."""

    label: str
    count: Count
    right: Count


class Confused(BaseModel):
    """Two labels that are mixed up."""

    label: str
    taken_for: str
    count: Count


class Suspect(Example):
    """An example that is possibly mislabelled."""

    likelier: str
    probability: Share
    own_probability: Share


class Foreign(BaseModel):
    """How many inputs, of a sample, are in a language that the encoder does not read."""

    texts: Count
    foreign: Count
    told: Count


class Checked(Returned):
    """See `check`."""

    examples: Count
    outputs: Labelling
    untested: Annotated[str | None, Field(description="Why there is no accuracy; null where there is one.")]
    tested: Count
    right: Count
    accuracy: Share | None
    interval: Annotated[list[float] | None, Field(description="Of the accuracy, 95 %.")]
    labels: Annotated[list[LabelChecked], Field(description="Those that are right least often.")]
    confused: list[Confused]
    suspects: Annotated[list[Suspect], Field(description="Possibly mislabelled, the likeliest first.")]
    suspected: Annotated[int, Field(ge=0, description="How many there are in all.")]
    duplicates: Annotated[list[list[Example]], Field(description="Same input and output, group by group.")]
    contradictions: Annotated[list[list[Example]], Field(description="Same input, different outputs.")]
    single: Annotated[list[str], Field(description="Labels with one example.")]
    unread: Annotated[list[Example] | None, Field(description="Inputs that the encoder cannot read.")]
    cut: Annotated[list[Example] | None, Field(description="Inputs longer than the encoder reads.")]
    foreign: Foreign
    counts: Annotated[dict[str, int], Field(description="How many of each list there are in all.")]


class Status(Returned):
    """See `status`."""

    path: str
    examples: Count
    shots: Annotated[Count, Field(description="How many examples the model is shown.")]
    task: str | None
    labels_setting: str
    encoder: str
    root: Root


class Plan(Returned):
    """See `forget_dry_run`."""

    examples: list[Matched]
    token: str
    expires_in: Annotated[float, Field(description="Seconds.")]


class Forgotten(Returned):
    """See `forget`. Keep it outside the store: it tells what was forgotten."""

    forgotten: Count
    ids: list[Id]
    root_before: Root
    root_after: Root
    refit: Annotated[bool, Field(description="Whether all examples were clustered again.")]
    seconds: float
    similar_left: Count | None
    similar: Annotated[list[Example], Field(description="Examples that are left and nearly the same.")]
    similar_error: str | None = None
    store: str


class FixPlan(Returned):
    """See `fix_dry_run`."""

    example: Example
    output: Annotated[str, Field(description="The one that it would have.")]
    new: Annotated[bool, Field(description="Whether no example has this output yet.")]
    duplicate: Annotated[bool, Field(description="Whether the corrected example is there already.")]
    look_alikes: list[LookAlike]
    token: str
    expires_in: Annotated[float, Field(description="Seconds.")]


class Fixed(Returned):
    """See `fix`."""

    changed: bool
    id: Annotated[str, Field(description="Of the corrected example, which is a new one.")]
    ids: Annotated[list[Id], Field(description="Of the example that was forgotten.")]
    root_before: Root
    root_after: Root
    refit: bool
    seconds: float
    store: str
