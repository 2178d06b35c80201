"""Memory with the real models: what a program that embeds the library relies on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from campaigns import later
from expenses import EXAMPLES, PAIRS, SEED
from stores import tree

from edge_icl import (
    AmbiguousIdError,
    EdgeIclError,
    Example,
    ExampleNotFoundError,
    InputError,
    Memory,
    ModelMissingError,
    Options,
    StoreClosedError,
    StoreEmptyError,
    StoreEncoderError,
    StoreExistsError,
    StoreNotFoundError,
)
from edge_icl.llm.window import Window
from edge_icl.models import location

Twin = Callable[[Path, list[Example]], Memory]


@pytest.fixture
def memory(models_home: Path) -> Memory:
    with Memory.create("work", seed=SEED, shots=4) as memory:
        memory.add_many(EXAMPLES)
        yield memory


@pytest.fixture
def twin() -> Iterator[Twin]:
    """Return what makes a memory with the same settings that was only ever given some examples."""
    with ExitStack() as stack:

        def make(path: Path, examples: list[Example]) -> Memory:
            memory = stack.enter_context(Memory.create(path, seed=SEED, shots=4))
            memory.add_many(examples)
            return memory

        yield make


def test_a_session_adds_asks_forgets_and_proves_it(memory: Memory, tmp_path: Path, twin: Twin) -> None:
    answer = memory.ask("Taxi downtown")
    assert answer.text in {"travel", "meals", "office"}
    assert sum(answer.labels.values()) == pytest.approx(1)
    assert answer.text == max(answer.labels, key=answer.labels.get)
    shown = answer.examples[0]

    receipt = memory.forget(shown.id)

    assert receipt.ids == (shown.id,)
    assert receipt.root_after == memory.root != receipt.root_before
    assert memory.verify(deep=True, receipt=receipt.as_json()).ok
    assert shown.id not in {held.id for held in memory.examples()}
    never = twin(tmp_path / "never", [example for example in EXAMPLES if example != shown.example])
    assert tree(memory.path) == tree(never.path)
    assert memory.root == never.root


@pytest.fixture
def logits(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All that the model says, every logit of every token that it is asked about; grows with each question."""
    said: list[bytes] = []
    read = Window.logits

    def listen(window: Window, index: int) -> np.ndarray:
        found = read(window, index)
        said.append(hashlib.blake2b(found.tobytes()).digest())
        return found

    monkeypatch.setattr(Window, "logits", listen)
    return said


@pytest.mark.parametrize("select", ["erase", later("nearest"), "hybrid", later("random"), later("none")])
def test_after_a_forget_answers_are_those_of_a_store_that_never_held_it(
    memory: Memory, tmp_path: Path, logits: list[bytes], select: str, twin: Twin
) -> None:
    """Logits, labels, probabilities, written text, examples and cache are equal bit for bit."""
    memory.ask("Taxi downtown", Options(ask_model="always", select=select))
    memory.forget(memory.ask("Taxi downtown", Options(ask_model="always", select="erase")).examples[1].id)
    never = twin(tmp_path / "never", [held.example for held in memory.examples()])
    for labels in ("on", "off"):
        logits.clear()
        one = memory.ask(
            "Taxi downtown", Options(ask_model="always", select=select, labels=labels, max_tokens=8)
        )
        half = len(logits)
        other = never.ask(
            "Taxi downtown", Options(ask_model="always", select=select, labels=labels, max_tokens=8)
        )

        assert logits[:half] == logits[half:] != []
        assert (one.text, one.labels, one.examples) == (other.text, other.labels, other.examples)
    assert tree(memory.path) == tree(never.path)


def test_answers_are_the_same_cold_warm_and_from_disk(memory: Memory) -> None:
    first = memory.ask("Bus pass", Options(ask_model="always", select="erase"))
    memory.ask("Stapler", Options(ask_model="always", select="nearest"))
    warm = memory.ask("Bus pass", Options(ask_model="always", select="erase"))
    with Memory.open("work") as again:
        assert list((memory.path / "cache").iterdir())
        disk = again.ask("Bus pass", Options(ask_model="always", select="erase"))

    assert first.labels == warm.labels == disk.labels


def test_a_forget_empties_the_cache_on_disk(memory: Memory) -> None:
    memory.ask("Bus pass", Options(ask_model="always", select="erase"))
    assert list((memory.path / "cache").iterdir())

    memory.forget(next(memory.examples()).id)

    assert not list((memory.path / "cache").iterdir())


def test_outputs_that_never_come_again_are_written_not_chosen(models_home: Path) -> None:
    with Memory.open("rewrites") as memory:
        memory.add("i am late", "Sorry, I am running late.")
        memory.add("cant come", "Unfortunately I cannot make it.")

        answer = memory.ask("see you soon", Options(max_tokens=20))

    assert answer.text
    assert not answer.labels


def test_outputs_that_are_names_are_chosen_though_none_comes_again(models_home: Path) -> None:
    with Memory.open("intents") as memory:
        memory.add("Where is my card?", "card_arrival")
        memory.add("My top up failed", "top_up_failed")

        answer = memory.ask("My card has not come")

    assert set(answer.labels) == {"card_arrival", "top_up_failed"}


def test_what_is_set_decides_for_questions_that_do_not_say_themselves(memory: Memory, tmp_path: Path) -> None:
    short = Options(max_tokens=4)
    assert (memory.labels_setting, bool(memory.ask("Taxi downtown", short).labels)) == ("auto", True)

    assert memory.set_labels("no")
    assert not memory.ask("Taxi downtown", short).labels
    assert memory.ask("Taxi downtown", Options(labels="on")).text == "travel"

    with Memory.create(tmp_path / "rewrites", seed=SEED, labels="yes") as texts:
        texts.add("i am late", "Sorry, I am running late.")
        texts.add("cant come", "Unfortunately I cannot make it.")
        assert set(texts.ask("i will be late").labels) == set(texts.outputs())
        assert not texts.ask("i will be late", Options(labels="off", max_tokens=4)).labels
        assert texts.ask("i will be late", Options(json_schema={"enum": [1]})).text == "1"
        texts.set_labels("auto")
        assert not texts.ask("i will be late", short).labels


def test_what_is_set_is_seen_by_every_handle_and_kept_by_every_change(memory: Memory, tmp_path: Path) -> None:
    with Memory.open("work") as other:
        other.set_labels("yes")
        assert memory.labels_setting == "yes"
        assert not memory.set_labels("yes")

    memory.replace(memory.find(match="toner")[0].id, output="paper")
    memory.forget(memory.find(match="Lyon")[0].id)
    memory.add("Tram", "travel")

    held = [one.example for one in memory.examples()]
    with Memory.create(tmp_path / "fresh", seed=SEED, shots=4, labels="yes") as fresh:
        fresh.add_many(held)
        assert tree(fresh.path) == tree(memory.path)
    assert memory.verify(deep=True).ok
    assert memory.outputs() == {"meals": 4, "travel": 4, "office": 3, "paper": 1}
    assert list(memory.outputs()) == ["meals", "travel", "office", "paper"]


@pytest.mark.parametrize("wrong", ["on", "Yes", "", None])
def test_what_cannot_be_set_is_refused_and_changes_nothing(memory: Memory, wrong: object) -> None:
    before = tree(memory.path)

    with pytest.raises(InputError, match=r"does not say whether outputs are labels; give auto, yes or no"):
        memory.set_labels(wrong)

    assert tree(memory.path) == before


def test_a_stream_gives_the_answer_in_pieces(memory: Memory) -> None:
    reply = memory.stream("Taxi downtown", Options(labels="off", max_tokens=6))
    pieces = list(reply)

    whole = memory.ask("Taxi downtown", Options(labels="off", max_tokens=6))
    assert "".join(pieces) == reply.answer.text == whole.text


def test_a_closed_stream_leaves_the_model_usable(memory: Memory) -> None:
    before = memory.ask("Taxi downtown", Options(labels="off", max_tokens=6)).text
    reply = memory.stream("Write a very long story", Options(labels="off", select="none", max_tokens=200))
    next(reply)
    reply.close()

    assert list(reply) == []
    assert memory.ask("Taxi downtown", Options(labels="off", max_tokens=6)).text == before


def test_a_stream_is_cancelled_from_another_thread(memory: Memory) -> None:
    reply = memory.stream("Write a very long story", Options(labels="off", select="none"))
    next(reply)
    thread = threading.Thread(target=reply.cancel)
    thread.start()
    thread.join()

    assert list(reply) == []
    assert not reply.answer.complete


def test_what_another_process_changed_is_seen_at_the_next_call(memory: Memory) -> None:
    memory.ask("Taxi downtown")
    with Memory.open("work") as other:
        gone = other.ask("Taxi downtown").examples[0].id
        other.forget(gone)

    assert gone not in {held.id for held in memory.ask("Taxi downtown").examples}
    assert len(memory) == len(EXAMPLES) - 1


def test_adding_twice_is_adding_once(memory: Memory) -> None:
    root = memory.root

    added = memory.add_many([EXAMPLES[0], EXAMPLES[0]])

    assert (added.added, added.duplicates, len(added.ids)) == (0, 2, 2)
    assert memory.root == root


def test_forgetting_is_all_or_nothing(memory: Memory) -> None:
    ids = [held.id for held in memory.examples()]
    before = tree(memory.path)

    with pytest.raises(ExampleNotFoundError, match="0000000000"):
        memory.forget(ids[0], "0000000000")
    digit = max("0123456789abcdef", key=lambda digit: sum(key[0] == digit for key in ids))
    with pytest.raises(AmbiguousIdError):
        memory.forget(ids[0], digit)
    with pytest.raises(InputError):
        memory.forget()

    assert tree(memory.path) == before


def test_many_are_forgotten_in_one_commit(memory: Memory, tmp_path: Path, twin: Twin) -> None:
    ids = [memory.short(held.id) for held in memory.examples()]

    receipt = memory.forget(*ids[:7], ids[0])

    assert len(receipt.ids) == 7
    never = twin(tmp_path / "never", [held.example for held in memory.examples()])
    assert tree(memory.path) == tree(never.path)


def test_the_examples_are_those_of_the_moment_they_were_asked_for(memory: Memory) -> None:
    before, every = list(memory.examples()), memory.examples()

    memory.forget(*[held.id for held in before])

    assert list(every) == before
    assert list(memory.examples()) == []


def test_twins_that_are_left_are_named(memory: Memory) -> None:
    (close,) = memory.add("Uber to the airport!", "travel").ids
    (first,) = memory.add(*PAIRS[0]).ids

    receipt = memory.forget(first, similar=0.9)

    assert [held.id for held in receipt.similar] == [close]
    assert receipt.as_json()["similar_left"] == 1


def test_examples_are_found_by_what_they_say_and_whence_they_came(memory: Memory) -> None:
    memory.add("Invoice 12", "other", tags=["2025"], source="mail")
    memory.add("Invoice 13", "other", tags=["2026"], source="mail")

    assert len(memory.find(match="INVOICE")) == 2
    assert [held.input for held in memory.find(source="mail", tag="2026")] == ["Invoice 13"]
    assert {held.input for held in memory.find(like="Invoice 12", min_similarity=0.8)} >= {"Invoice 12"}
    assert memory.find(match="nothing has this") == []


def test_search_gives_the_nearest_first(memory: Memory) -> None:
    found = memory.search("train to Paris", limit=3)

    assert found[0].input == "Train ticket to Lyon"
    assert [held.similarity for held in found] == sorted((held.similarity for held in found), reverse=True)


def test_a_receipt_tells_a_store_that_has_moved_on(memory: Memory) -> None:
    receipt = memory.forget(next(memory.examples()).id).as_json()
    assert memory.verify(receipt=receipt).moved_on is False

    memory.add("Something new", "other")

    assert memory.verify(receipt=receipt).moved_on is True
    assert memory.verify(receipt=receipt).ok


def test_a_receipt_whose_example_is_back_is_a_difference(memory: Memory) -> None:
    receipt = memory.forget(memory.add(*PAIRS[0]).ids[0]).as_json()
    memory.add(*PAIRS[0])

    (difference,) = memory.verify(receipt=receipt).differences

    assert difference.path == receipt["ids"][0]
    with pytest.raises(InputError, match="not a receipt"):
        memory.verify(receipt={"ids": 3})


def test_a_text_too_long_for_the_model_is_refused_with_both_lengths(memory: Memory) -> None:
    before = tree(memory.path)

    with pytest.raises(InputError, match=r"has \d+ tokens .* room for \d+"):
        memory.add("word " * 5000, "long")
    with pytest.raises(InputError, match=r"^examples\[1\]: the example has \d+ tokens"):
        memory.add_many([("a", "b"), ("word " * 5000, "long")])
    with pytest.raises(InputError, match=r"has \d+ tokens .* room for \d+"):
        memory.ask("word " * 5000)

    assert tree(memory.path) == before


def test_threads_ask_and_change_at_once(memory: Memory, tmp_path: Path, twin: Twin) -> None:
    errors = []

    def work(n: int) -> None:
        try:
            for i in range(3):
                memory.add(f"Expense {n} {i}", "other")
                memory.ask(f"Question {n} {i}", Options(select="nearest", shots=1))
            memory.forget(memory.find(match=f"Expense {n} 1")[0].id)
        except EdgeIclError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    left = [Example.create(f"Expense {n} {i}", "other") for n in range(3) for i in (0, 2)]
    assert not errors
    assert tree(memory.path) == tree(twin(tmp_path / "never", [*EXAMPLES, *left]).path)


def test_forgetting_listing_and_verifying_need_no_model(memory: Memory) -> None:
    for name in ("all-minilm-l6-v2", "smollm2-135m-instruct"):
        location.remove(name)
    with Memory.open("work") as again:
        again.forget(next(again.examples()).id)

        assert again.verify(deep=True).ok
        with pytest.raises(ModelMissingError, match="edge-icl models fetch all-minilm-l6-v2"):
            again.ask("Taxi downtown")
        with pytest.raises(ModelMissingError, match="edge-icl models fetch all-minilm-l6-v2"):
            again.add("Taxi downtown", "travel")


def test_a_store_of_another_encoder_is_refused_with_both_names(memory: Memory) -> None:
    with pytest.raises(StoreEncoderError, match=r"all-minilm-l6-v2.*other"):
        Memory.open("work", encoder="other")


def test_opening_and_creating_say_what_is_there(memory: Memory, tmp_path: Path) -> None:
    with pytest.raises(StoreExistsError):
        Memory.create("work")
    with pytest.raises(StoreNotFoundError):
        Memory.open("nothing", create=False)
    assert Memory.open(tmp_path / "new").path == tmp_path / "new"
    for wrong in ("", ".hidden"):
        with pytest.raises(InputError):
            Memory.open(wrong)


@pytest.mark.parametrize("options", [{"shots": 0}, {"shots": 70_000}, {"seed": b"short"}, {"labels": "on"}])
def test_settings_that_make_no_sense_are_refused(models_home: Path, options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Memory.create("work", **options)
    assert not (models_home / "stores").exists()


def test_a_closed_memory_says_so(memory: Memory, earlier_threads: set[threading.Thread]) -> None:
    memory.ask("Taxi downtown")
    memory.close()
    memory.close()

    for call in (
        lambda: memory.ask("x"),
        lambda: memory.add("a", "b"),
        lambda: memory.forget("a"),
        lambda: memory.set_labels("no"),
        memory.outputs,
        memory.verify,
    ):
        with pytest.raises(StoreClosedError):
            call()
    assert {*threading.enumerate()} <= earlier_threads


def test_a_store_that_comes_with_its_examples_is_told_by_its_own_name_before(models_home: Path) -> None:
    path = models_home / "stores" / "work"
    with Memory.open("work", create="later") as memory:
        assert memory.path == path
        assert not path.exists()
        with pytest.raises(
            StoreNotFoundError, match=f"^there is no store at {path}; make it with `.* work init`"
        ):
            memory.verify()
        memory.add("Taxi", "travel")
        assert memory.path == path
        assert memory.verify().ok


def test_an_empty_store_has_no_answer(models_home: Path) -> None:
    with Memory.open("empty") as memory:
        for options in (Options(), Options(labels="off", select="none"), Options(labels="on", prior=False)):
            with pytest.raises(StoreEmptyError, match="edge-icl add INPUT OUTPUT"):
                memory.ask("The capital of France is", options)
        assert memory.search("x") == memory.find(match="x") == []
        assert memory.verify(deep=True).ok


@pytest.mark.parametrize("labels", ["on", later("off")])
def test_a_chat_after_a_forget_is_that_of_a_store_that_never_held_it(
    models_home: Path, tmp_path: Path, labels: str
) -> None:
    chat = Options(ask_model="always", prompt="chat", labels=labels, max_tokens=8)
    found = []
    for name, examples in {"taught": EXAMPLES, "never": EXAMPLES[1:]}.items():
        with Memory.create(tmp_path / name, seed=SEED, shots=4, task="Name the kind of expense") as memory:
            memory.add_many(examples)
            if name == "taught":
                memory.ask("Taxi downtown", chat)
                memory.forget(*[held.id for held in memory.examples() if held.example == EXAMPLES[0]])
            reply = memory.stream("Taxi downtown", chat)
            found.append(("".join(reply), dict(reply.answer.labels), reply.prompt.text, memory.root))
    assert found[0] == found[1]
    assert found[0][2].startswith("<|im_start|>system\nName the kind of expense<|im_end|>")


@pytest.mark.parametrize("prompt", [later("plain"), "chat"])
def test_the_task_of_a_question_is_that_of_a_store_made_with_it_and_leaves_nothing(
    memory: Memory, tmp_path: Path, logits: list[bytes], prompt: str
) -> None:
    options = Options(ask_model="always", prompt=prompt)
    before = tree(memory.path)
    asked = memory.ask("Taxi downtown", options, task=" Name the kind of expense")
    said = logits.copy()

    assert tree(memory.path) == before
    with Memory.create(tmp_path / "with", seed=SEED, shots=4, task="Name the kind of expense") as other:
        other.add_many(EXAMPLES)
        logits.clear()
        expected = other.ask("Taxi downtown", options)
        without = other.ask("Taxi downtown", options, task="")

        assert (asked.labels, asked.prompt, asked.text) == (expected.labels, expected.prompt, expected.text)
        assert said == logits[: len(said)] != []
        assert without.labels == memory.ask("Taxi downtown", options).labels != asked.labels


def test_a_written_answer_keeps_to_a_schema_and_a_bad_grammar_is_refused(memory: Memory) -> None:
    schema = {"enum": ["cab", "bus"]}
    answer = memory.ask("Taxi downtown", Options(json_schema=schema))
    assert (answer.text in {'"cab"', '"bus"'}, answer.labels, answer.complete) == (True, {}, True)
    with pytest.raises(InputError):
        memory.ask("Taxi downtown", grammar="root")


def test_sums_that_followed_changes_are_those_of_a_fresh_start(memory: Memory) -> None:
    """A program that goes on asking while it adds and forgets answers, bit for bit, as one that begins anew."""
    memory.ask("Taxi downtown")
    memory.forget(next(memory.examples()).id)
    memory.add("Ferry to the island", "travel")
    memory.add("Books on tax law", "books")
    kept = memory.ask("Taxi downtown")

    with Memory.open("work") as fresh:
        anew = fresh.ask("Taxi downtown")

    assert (kept.text, kept.labels, kept.parts) == (anew.text, anew.labels, anew.parts)
    assert "books" in kept.labels
