"""usual: what the model calls each label anyway is computed once, and from the disk it has the same bits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from expenses import EXAMPLES

from edge_icl import Memory, Options
from edge_icl.answer import calibration
from edge_icl.llm.model import Model
from edge_icl.results import Answer

ASK = Options(ask_model="always", labels="on")
QUESTIONS = ("Bus pass", "Stapler", "Lunch with a client", "Taxi downtown")


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    """A store of expenses that nothing has been asked of."""
    with Memory.create("work", seed=bytes(32)) as memory:
        memory.add_many(EXAMPLES)
        yield memory


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All labels that are scored after texts that ask nothing, each once a text."""
    found: list[str] = []
    score = calibration.score_apart

    def listen(prefixes, prefix, question, labels, **rest):  # noqa: ANN001, ANN003, ANN202 - passed on
        found.extend(labels)
        return score(prefixes, prefix, question, labels, **rest)

    monkeypatch.setattr(calibration, "score_apart", listen)
    return found


def ask_all(memory: Memory) -> list[Answer]:
    return [memory.ask(question, ASK) for question in QUESTIONS]


def judged(answers: list[Answer]) -> list[tuple[dict[str, float], dict[str, dict[str, float]]]]:
    return [(answer.labels, answer.parts) for answer in answers]


def test_each_label_is_scored_once_a_text(memory: Memory, scored: list[str]) -> None:
    answers = ask_all(memory)
    assert sorted(scored) == sorted([*{label for answer in answers for label in answer.parts}] * 3)


def test_another_process_reads_the_scores_and_judges_with_the_same_bits(
    memory: Memory, scored: list[str]
) -> None:
    first = judged(ask_all(memory))
    scored.clear()
    with Memory.open("work") as again:
        assert judged(ask_all(again)) == first
    assert scored == []


def test_order_of_the_questions_changes_no_bit(memory: Memory) -> None:
    first = judged(ask_all(memory))
    memory.forget(memory.add("Train to the airport", "travel").ids[0])
    assert judged([memory.ask(question, ASK) for question in reversed(QUESTIONS)])[::-1] == first


def test_scores_go_with_a_forget(memory: Memory, scored: list[str]) -> None:
    first = ask_all(memory)
    memory.forget(memory.add("Train to the airport", "travel").ids[0])
    scored.clear()
    assert judged(ask_all(memory)) == judged(first)
    assert set(scored) == {label for answer in first for label in answer.parts}


def test_other_texts_are_scored_anew(
    memory: Memory, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask_all(memory)
    scored.clear()
    monkeypatch.setattr(calibration, "content_free_texts", lambda *_: ["nothing", "is asked"])
    with Memory.open("work") as again:
        answers = ask_all(again)
    assert sorted(scored) == sorted([*{label for answer in answers for label in answer.parts}] * 2)
    assert judged(answers) != judged(first)


def test_texts_without_spaces_leave_room_for_a_label(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a text is one word, however long; a question of few characters is answered all the same."""
    monkeypatch.setattr(calibration, "content_free_texts", lambda *_: ["\u8cbb\u7528" * 300, "nothing"])
    monkeypatch.setattr(Model, "context", property(lambda _: 500))
    first = judged(ask_all(memory))

    memory.forget(memory.add("Train to the airport", "travel").ids[0])

    assert judged(ask_all(memory)) == first


def test_selections_whose_prefix_is_not_kept_on_the_disk_keep_no_scores_there(memory: Memory) -> None:
    memory.ask("Bus pass", Options(labels="on", select="nearest", ask_model="always"))
    assert not list((memory.path / "cache").iterdir())
