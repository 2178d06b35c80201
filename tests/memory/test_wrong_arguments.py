"""A natural mistake in a call is one sentence that names the argument, and nothing has changed."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small_encoders import FIRST, imported_encoders, small_encoders
from stores import QUICK, tree

from edge_icl import EdgeIclError, Example, InputError, Memory, StoreNotFoundError
from edge_icl.aio import AsyncMemory

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["imported_encoders", "small_encoders"]

GOOD = Example("tram", "travel")

CALLS: dict[str, tuple[Callable[[Memory], object], str]] = {
    "add(None)": (lambda m: m.add(None, "x"), "the input is NoneType, not text"),
    "add(output)": (lambda m: m.add("x", 1), "the output is int, not text"),
    "add(tags=text)": (lambda m: m.add("x", "y", tags="travel"), "the tags are str, not several texts"),
    "add(tags=None)": (lambda m: m.add("x", "y", tags=None), "the tags are NoneType, not several texts"),
    "add(source)": (lambda m: m.add("x", "y", source=Path("x")), "the source is PosixPath, not text"),
    "add_many(int)": (lambda m: m.add_many(3), "int is not several examples"),
    "add_many(vectors)": (lambda m: m.add_many([GOOD], vectors=3), "vectors is int, not several"),
    "add_many(few vectors)": (lambda m: m.add_many([GOOD], vectors=[]), "vectors has 0 elements, not 1"),
    "add_many(progress)": (lambda m: m.add_many([GOOD], progress=3), "progress is int, not a function"),
    "forget(similar)": (lambda m: m.forget(m.ids(), similar="x"), "similar is str, not a number"),
    "forget(similar=True)": (lambda m: m.forget(m.ids(), similar=True), "similar is bool, not a number"),
    "forget(similar=90)": (lambda m: m.forget(m.ids(), similar=90), "similar is 90; give one from -1 to 1"),
    "forget(root)": (lambda m: m.forget(m.ids(), root=3), "root is int, not text"),
    "get(int)": (lambda m: m.get(3), "int is not the id of an example"),
    "short(None)": (lambda m: m.short(None), "NoneType is not the id of an example"),
    "replace(id)": (lambda m: m.replace(3, output="x"), "int is not the id of an example"),
    "replace(output)": (lambda m: m.replace(m.ids()[0], output=3), "the output is int, not text"),
    "replace(tags=text)": (lambda m: m.replace(m.ids()[0], tags="x"), "the tags are str, not several texts"),
    "rename_label(old)": (lambda m: m.rename_label(3, "x"), "the label is int, not text"),
    "rename_label(new)": (lambda m: m.rename_label("meals", None), "the new label is NoneType, not text"),
    "set_labels(True)": (lambda m: m.set_labels(True), "True does not say whether outputs are labels"),
    "set_labels(list)": (lambda m: m.set_labels(["yes"]), "['yes'] does not say whether outputs are labels"),
    "reencode(into)": (lambda m: m.reencode(5, FIRST), "int is neither the name of a store nor its path"),
    "reencode(encoder)": (lambda m: m.reencode("x", 5), "int is neither the name of a model nor its path"),
    "forget_from(id)": (lambda m: m.forget_from(m.ids()[0]), "this is not a receipt of edge-icl"),
    "forget_from(similar)": (lambda m: m.forget_from(similar="x"), "similar is str, not a number"),
    "merge()": (lambda m: m.merge(), "there is nothing to merge"),
    "merge(int)": (lambda m: m.merge(3), "int is neither the name of a store nor its path"),
    "merge(into)": (lambda m: m.merge(into=3), "int is neither the name of a store nor its path"),
    "merge(receipts)": (lambda m: m.merge("x", receipts=3), "receipts is int, not several"),
    "merge(itself)": (lambda m: m.merge(m), "the store work is the one that is merged into; l"),
    "merge(passphrase)": (lambda m: m.merge("x", passphrase=3), "the passphrase is int, not text"),
    "ask(int)": (lambda m: m.ask(3), "the question is int, not text"),
    "ask(options)": (lambda m: m.ask("taxi", 3), "the options are int, not Options: give them by name"),
    "ask(cancel)": (lambda m: m.ask("taxi", cancel=threading.Event()), "cancel is Event, not a Cancel"),
    "ask_many(cancel)": (lambda m: m.ask_many(["taxi"], cancel=3), "cancel is int, not a Cancel"),
    "ask(bytes)": (lambda m: m.ask(b"taxi"), "the question is bytes, not text"),
    "ask_many(text)": (lambda m: m.ask_many("taxi"), "questions is str, not several; give them as a list"),
    "ask_many(int)": (lambda m: m.ask_many(3), "questions is int, not several"),
    "ask_many(progress)": (lambda m: m.ask_many(["taxi"], progress=3), "progress is int, not a function"),
    "select(int)": (lambda m: m.select(3), "the question is int, not text"),
    "embed(text)": (lambda m: m.embed("taxi"), "texts is str, not several; give them as a list"),
    "embed([int])": (lambda m: m.embed([3]), "the text is int, not text"),
    "embed(progress)": (lambda m: m.embed(["taxi"], progress=3), "progress is int, not a function"),
    "readings(text)": (lambda m: m.readings("taxi"), "texts is str, not several"),
    "suggest(text)": (lambda m: m.suggest("taxi"), "questions is str, not several"),
    "suggest(limit)": (lambda m: m.suggest(["taxi"], "3"), "limit is str, not a whole number"),
    "suggest(vectors)": (lambda m: m.suggest(["taxi"], vectors=[]), "vectors has 0 elements, not 1"),
    "suggest(seen)": (lambda m: m.suggest(["taxi"], seen=3), "seen is int, not several"),
    "suggest(seen=texts)": (lambda m: m.suggest(["taxi"], seen=["x"]), "str is not a vector"),
    "search(bytes)": (lambda m: m.search(b"taxi"), "the text is bytes, not text"),
    "search(limit='3')": (lambda m: m.search("taxi", limit="3"), "limit is str, not a whole number"),
    "search(limit=-1)": (lambda m: m.search("taxi", limit=-1), "limit is -1; give 0 or more"),
    "search(limit=2.5)": (lambda m: m.search("taxi", limit=2.5), "limit is float, not a whole number"),
    "search(limit=None)": (lambda m: m.search("taxi", limit=None), "limit is NoneType, not a whole number"),
    "find(match)": (lambda m: m.find(match=1), "the text is int, not text"),
    "find(output)": (lambda m: m.find(output=1), "the output is int, not text"),
    "find(source)": (lambda m: m.find(source=Path("x")), "the source is PosixPath, not text"),
    "find(tag)": (lambda m: m.find(tag=1), "the tag is int, not text"),
    "find(tag=list)": (lambda m: m.find(tag=["x"]), "the tag is list, not text"),
    "find(like)": (lambda m: m.find(like=1), "the text is int, not text"),
    "find(min_similarity)": (
        lambda m: m.find(like="x", min_similarity="1"),
        "min_similarity is str, not a num",
    ),
    "find(nan)": (lambda m: m.find(like="x", min_similarity=float("nan")), "min_similarity is nan"),
    "find(no like)": (lambda m: m.find(min_similarity=0.5), "min_similarity is of use only with a text"),
    "examples(tag)": (lambda m: m.examples(tag=1), "the tag is int, not text"),
    "export(match)": (lambda m: m.export(match=b"x"), "the text is bytes, not text"),
    "has_output(int)": (lambda m: m.has_output(3), "the output is int, not text"),
    "contradictions(int)": (lambda m: m.contradictions(3), "int is not several examples"),
    "check(text)": (lambda m: m.check(held_out="x"), "the examples are one text"),
    "check(half)": (
        lambda m: m.check(held_out=[("a",)]),
        "held_out[0]: a tuple of 1 is not an input and an ou",
    ),
    "check(nothing)": (lambda m: m.check(held_out=[]), "there are no held-out rows"),
    "check(encoder)": (lambda m: m.check(encoder=3), "int is neither the name of a model nor its path"),
    "check(progress)": (lambda m: m.check(progress=3), "progress is int, not a function"),
    "report(progress)": (lambda m: m.report(progress=3), "progress is int, not a function"),
    "verify(receipt)": (lambda m: m.verify(receipt=3), "this is not a receipt of edge-icl"),
    "verify(progress)": (lambda m: m.verify(progress=3), "progress is int, not a function"),
    "change_passphrase": (lambda m: m.change_passphrase(3), "the passphrase is int, not text"),
}

OPENED: list[tuple[dict[str, object], str]] = [
    ({"store": 5}, "int is neither the name of a store nor its path"),
    ({"store": None}, "NoneType is neither the name of a store nor its path"),
    ({"store": b"work"}, "bytes is neither the name of a store nor its path"),
    ({"store": ""}, "'' cannot be the name of a store"),
    ({"create": "never"}, "create cannot be 'never'; give True, False or \"later\""),
    ({"encoder": 5}, "int is neither the name of a model nor its path"),
    ({"model": 5}, "int is neither the name of a model nor its path"),
    ({"gpu_layers": "all"}, "gpu_layers is str, not a whole number"),
    ({"gpu_layers": -1}, "gpu_layers is -1; give 0 or more"),
    ({"threads": 2.5}, "threads is float, not a whole number"),
    ({"threads": 0}, "threads is 0; give 1 or more"),
    ({"threads": 10**5}, "100,000 threads are too many for"),
    ({"timeout": "3"}, "timeout is str, not a number"),
    ({"timeout": None}, "timeout is NoneType, not a number"),
    ({"timeout": -1}, "timeout is -1; give 0 or more"),
    ({"timeout": float("nan")}, "timeout is nan; give 0 or more"),
    ({"passphrase": 3}, "the passphrase is int, not text"),
    ({"passphrase": lambda: 3}, "the passphrase is int, not text"),
    ({"passphrase": lambda: None}, "the passphrase is NoneType, not text"),
    ({"progress": 3}, "progress is int, not a function"),
    ({"progress": None}, "progress is NoneType, not a function"),
]
MADE: list[tuple[dict[str, object], str]] = [
    ({"store": 5}, "int is neither the name of a store nor its path"),
    ({"shots": "3"}, "shots is str, not a whole number"),
    ({"shots": 2.5}, "shots is float, not a whole number"),
    ({"shots": True}, "shots is bool, not a whole number"),
    ({"shots": 0}, "shots is 0; give 1 or more"),
    ({"shots": 1 << 16}, "65536 examples cannot go into a prompt"),
    ({"seed": "x" * 32}, "the seed is str, not bytes"),
    ({"seed": 3}, "the seed is int, not bytes"),
    ({"encoder": 3}, "int is neither the name of a model nor its path"),
    ({"task": 3}, "the task is int, not text"),
    ({"labels": True}, "True does not say whether outputs are labels"),
    ({"passphrase": 3}, "the passphrase is int, not text"),
    ({"passphrase": ""}, "the passphrase is empty"),
    ({"passphrase": "x", "stretch": 3}, "3 is not valid"),
    ({"encoder": None, "like": 3}, "int is neither the name of a store nor its path"),
    ({"like": "x"}, "a store that is like another has its settings"),
]


def test_a_store_is_neither_opened_nor_made_with_a_wrong_argument(small_encoders: Path) -> None:
    for make, calls in ((Memory.open, OPENED), (Memory.create, MADE)):
        for given, said in calls:
            with pytest.raises(InputError) as refused:
                make(**{"store": "work", "encoder": FIRST, **given})
            assert str(refused.value).startswith(said), given
            assert not [*(small_encoders / "stores").glob("*")], given


def test_a_store_that_is_not_there_is_told_with_those_that_may_be_meant(small_encoders: Path) -> None:
    for name in ("work", "user1"):
        Memory.create(name, encoder=FIRST).close()
    with pytest.raises(StoreNotFoundError) as missing:
        Memory.open("wrok", create=False)
    assert str(missing.value) == (
        f"there is no store at {small_encoders / 'stores' / 'wrok'}; "
        "did you mean 'work'? if not, make it with create=True, or Memory.create"
    )
    with pytest.raises(StoreNotFoundError, match=r"edge_icl\.list_stores\(\) names those there are$"):
        Memory.open("mail", create=False)


def test_a_slip_in_the_name_of_a_store_does_not_make_one_in_silence(small_encoders: Path) -> None:
    for name in ("work", "user1"):
        Memory.create(name, encoder=FIRST).close()
    with pytest.warns(UserWarning, match=r"a new store is made at .*wrok; did you mean 'work'\?") as warned:
        Memory.open("wrok", encoder=FIRST).close()
    assert [one.filename for one in warned] == [__file__]

    for name in ("user2", "mail", "wrok"):  # a number is no slip; one that is there is meant
        Memory.open(name, encoder=FIRST).close()
    Memory.create("works", encoder=FIRST).close()


def test_a_wrong_argument_is_one_sentence_and_nothing_has_changed(small_encoders: Path) -> None:
    with Memory.create("work", encoder=FIRST, passphrase="secret", stretch=QUICK) as memory:
        memory.add_many([("taxi to the airport", "travel"), ("lunch", "meals"), ("paper", "office")])
        before = tree(memory.path)
        for name, (call, said) in CALLS.items():
            with pytest.raises((EdgeIclError, TypeError, ValueError)) as refused:
                call(memory)
            assert str(refused.value).startswith(said), name
            assert "\n" not in str(refused.value), name
            assert tree(memory.path) == before, name


def test_progress_that_cannot_be_called_is_refused_in_a_loop_too(small_encoders: Path) -> None:
    async def main() -> None:
        async with await AsyncMemory.create("work", encoder=FIRST) as memory:
            with pytest.raises(InputError, match="progress is int, not a function"):
                await memory.add_many([GOOD], progress=3)
            with pytest.raises(InputError, match="limit is str"):
                await memory.search("taxi", limit="3")

    asyncio.run(main())
