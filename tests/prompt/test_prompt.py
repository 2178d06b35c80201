"""prompt: what the model is shown, and what finds no room."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_icl.errors import InputError
from edge_icl.example import Example
from edge_icl.prompt.prompt import MARK, PLAIN, Plain, check_fits, fit

text = st.text("ab \n", min_size=1, max_size=12).filter(lambda text: not text.isspace())
example = st.builds(Example, text, text)
examples = st.lists(example, max_size=6)


def words(text: str) -> int:
    """Count as a tokenizer might: not per character, nor additive over parts."""
    return len(text.split()) + text.count("\n\n")


def test_prompt_is_completed_by_an_answer_in_the_format_of_its_examples() -> None:
    shown = [Example("Uber", "travel"), Example("Rice\nand beans", "food")]
    prompt = fit("Taxi", prefix=shown[:1], extra=shown[1:], budget=1000, count=len)
    assert prompt.prefix == "Input: Uber\nOutput: travel\n\nInput:"
    assert prompt.question == " Rice\nand beans\nOutput: food\n\nInput: Taxi\nOutput:"
    assert PLAIN.answer("travel") == " travel\n\nInput:"
    assert prompt.examples == tuple(shown)
    assert prompt.dropped == ()


def test_prompt_without_examples_is_the_question_alone() -> None:
    prompt = fit("Taxi", budget=1000, count=len)
    assert (prompt.prefix, prompt.question) == ("Input:", " Taxi\nOutput:")


@given(examples, examples, text, text)
def test_prefix_depends_on_its_examples_alone(
    prefix: list[Example], extra: list[Example], first: str, second: str
) -> None:
    prompts = [
        fit(question, prefix=prefix, extra=extra, budget=1000, count=words) for question in (first, second)
    ]
    assert prompts[0].prefix == prompts[1].prefix == fit("x", prefix=prefix, budget=1000, count=words).prefix


@given(examples, examples, text, st.integers(0, 120), st.sampled_from([len, words]))
def test_prompt_keeps_the_budget_and_drops_the_fewest_first_examples(
    prefix: list[Example], extra: list[Example], question: str, budget: int, count: Callable[[str], int]
) -> None:
    def length(dropped: int) -> int:
        kept = fit(question, prefix=prefix[dropped:], extra=extra[max(0, dropped - len(prefix)) :], **wide)
        return count(kept.prefix) + count(kept.question)

    wide = {"budget": 10**9, "count": count}
    every = [*prefix, *extra]
    fitting = [dropped for dropped in range(len(every) + 1) if length(dropped) <= budget]
    if not fitting:
        with pytest.raises(InputError, match=f"{length(len(every))} tokens .* {budget};"):
            fit(question, prefix=prefix, extra=extra, budget=budget, count=count)
        return
    prompt = fit(question, prefix=prefix, extra=extra, budget=budget, count=count)
    assert count(prompt.prefix) + count(prompt.question) <= budget
    assert list(prompt.dropped) == every[: fitting[0]]
    assert list(prompt.examples) == every[fitting[0] :]


def test_answer_ends_with_its_line_unless_an_example_shown_has_several() -> None:
    single, several = Example("a", "b"), Example("c", "d\ne")
    assert fit("x", prefix=[single], budget=1000, count=len).stop == "\n"
    assert fit("x", extra=[single, several], budget=1000, count=len).stop == "\n\nInput:"
    assert fit("x", extra=[several, single], budget=40, count=len).stop == "\n"


def test_task_stands_first_and_in_what_questions_share() -> None:
    prompt = fit("Taxi", prefix=[Example("Uber", "travel")], budget=1000, count=len, form=Plain("Classify."))
    assert prompt.prefix == "Classify.\n\nInput: Uber\nOutput: travel\n\nInput:"
    assert prompt.text == f"{prompt.prefix} Taxi\nOutput:"


@pytest.mark.parametrize("many", [100, 10_000])
def test_what_finds_no_room_is_found_without_counting_every_choice(many: int) -> None:
    counted = 0

    def count(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return len(text)

    every = [Example(f"number {index:05}", "x") for index in range(many)]
    prompt = fit("Taxi", prefix=every[: many // 2], extra=every[many // 2 :], budget=400, count=count)
    assert len(prompt.dropped) == many - len(prompt.examples)
    assert 300 < len(prompt.prefix + prompt.question) <= 400
    assert counted < 3 * many * len(PLAIN.parts("", every[:1], [])[0])


def test_prompt_is_shown_without_the_marks_of_its_markup() -> None:
    class Marked(Plain):
        """A format with markup."""

        def parts(self, question: str, *_: object) -> tuple[str, str]:
            return f"{MARK}<start>{MARK}", question

    assert fit("Taxi", budget=1000, count=len, form=Marked()).text == "<start>Taxi"


def test_short_example_is_accepted_without_a_tokenizer() -> None:
    check_fits(Example("a" * 50, "b"), context=200, count=lambda _: pytest.fail("counted"))


@pytest.mark.parametrize("character", ["a", "é", "語"])
def test_example_is_refused_where_it_takes_more_than_half_the_context(character: str) -> None:
    overhead = len(" \nOutput: b\n\nInput:")
    check_fits(Example(character * (100 - overhead), "b"), context=200, count=len)
    with pytest.raises(InputError, match="the example has 101 tokens and the model has room for 100"):
        check_fits(Example(character * (101 - overhead), "b"), context=200, count=len)
