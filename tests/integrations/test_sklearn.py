"""The classifier is scikit-learn's kind of object, and forgetting is exact for it."""

from __future__ import annotations

import copy
import gc
import io
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import SkipTest

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import check_is_fitted, validate_data
from small_encoders import FIRST, SECOND, imported_encoders

from edge_icl import (
    EdgeIclError,
    ExampleNotFoundError,
    Memory,
    ModelMissingError,
    StoreChangedError,
    StoreExistsError,
    StoreNotFoundError,
)
from edge_icl.answer import engines
from edge_icl.sklearn import EdgeClassifier

__all__ = ["imported_encoders"]

TRAVEL = ["taxi to the airport", "taxi please", "the airport", "to the airport please", "a taxi"]
PETS = ["the cat sat on the mat", "a dog", "a cat on the mat", "the dog sat", "a cat sat"]
X = [*TRAVEL, *PETS]
Y = ["travel"] * 5 + ["pets"] * 5
NEW = ["a taxi to the airport please", "the dog on the mat", "pay my card"]


@pytest.fixture(autouse=True)
def home(imported_encoders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with the small encoders, in which no classifier leaves anything."""
    home = imported_encoders.parent
    monkeypatch.setenv("EDGE_ICL_HOME", str(home))
    yield home
    if [*home.glob("temporary/*")] or len(engines._encoders):
        gc.collect()  # circles that scikit-learn and pytest make; collecting takes longer than most tests
    assert not [*home.glob("temporary/*")]


def forks(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that forks, as a process with threads of libraries."""
    for mark in (
        pytest.mark.skipif(not hasattr(os, "fork"), reason="forks"),
        pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    ):
        test = mark(test)
    return test


def classifier(**more: Any) -> EdgeClassifier:
    return EdgeClassifier(**{"encoder": FIRST, "random_state": 0} | more)


def same(one: EdgeClassifier, other: EdgeClassifier) -> bool:
    """Tell whether two classifiers are one to the last bit: predictions, classes and stores."""
    return (
        one.classes_.tolist() == other.classes_.tolist()
        and one.predict_proba([*NEW, *X]).tobytes() == other.predict_proba([*NEW, *X]).tobytes()
        and one.memory_.root == other.memory_.root
    )


def test_it_learns_and_predicts_labels_with_probabilities() -> None:
    fitted = classifier().fit(X, Y)

    shares = fitted.predict_proba(NEW)

    assert fitted.classes_.tolist() == ["pets", "travel"]
    assert shares.shape == (3, 2)
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert fitted.predict(NEW).tolist() == [["pets", "travel"][i] for i in shares.argmax(axis=1)]
    assert fitted.score(X, Y) == 1
    assert fitted.predict_proba([]).shape == (0, 2)


rows = st.lists(st.tuples(st.sampled_from([*X, *NEW]), st.sampled_from("abc")), min_size=1, max_size=8)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, rows, st.randoms(use_true_random=False))
def test_after_any_order_of_learning_and_forgetting_it_is_what_a_fit_on_the_rest_is(
    kept: list[tuple[str, str]], gone: list[tuple[str, str]], random: Any
) -> None:
    gone = [row for row in gone if row not in kept]
    every = [*kept, *gone]
    random.shuffle(every)

    one = classifier().fit(*zip(*every[:1], strict=True))
    one.partial_fit(*zip(*every, strict=True))
    if gone:
        one.forget(*zip(*gone, strict=True))

    assert same(one, classifier().fit(*zip(*kept, strict=True)))


def test_rows_are_forgotten_by_what_they_are_and_by_what_is_found() -> None:
    fitted = classifier().fit(X, Y)
    without = classifier().fit(X[1:-1], Y[1:-1])

    receipt = fitted.forget(X[:1], Y[:1])
    found = fitted.memory_.find(match=X[-1])
    fitted.forget(found)

    assert len(receipt.ids) == 1
    assert same(fitted, without)
    fitted.forget(fitted.memory_.ids()[0])
    assert len(fitted.memory_) == 7


def test_what_is_not_there_is_not_forgotten_and_nothing_else_is() -> None:
    fitted = classifier().fit(X, Y)

    for wrong in [(X[:2], ["travel", "pets"]), (["00000000"],), ([X[0], "a mat"], Y[:2])]:
        with pytest.raises(ExampleNotFoundError):
            fitted.forget(*wrong)

    assert len(fitted.memory_) == 10


def test_a_label_goes_with_its_last_example_unless_it_was_declared() -> None:
    one = classifier().partial_fit(X, Y)
    other = classifier().partial_fit(X, Y, classes=["pets", "travel", "food"])

    for each in (one, other):
        each.forget(PETS, ["pets"] * 5)

    assert one.classes_.tolist() == ["travel"]
    assert other.classes_.tolist() == ["food", "pets", "travel"]
    assert other.predict_proba(NEW)[:, :2].tolist() == [[0, 0]] * 3
    one.forget(TRAVEL, ["travel"] * 5)
    with pytest.raises(NotFittedError):
        one.predict(NEW)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ([2, 7], "i"),
        ([np.int8(2), np.int8(7)], "i"),
        ([True, False], "b"),
        ([1.0, 2.0], "f"),
        (["b", "a"], "U"),
        (pd.Series(["b", "a"]), "U"),
        (np.array(["b", "a"], dtype=object), "U"),
        (pd.Categorical(["b", "a"]), "U"),
    ],
)
def test_labels_come_back_in_the_type_in_which_they_were_given(labels: Any, kind: str) -> None:
    fitted = classifier().fit(["a taxi", "a dog"], labels)

    assert fitted.classes_.dtype.kind == kind
    assert fitted.classes_.tolist() == sorted(np.asarray(labels).tolist())
    assert fitted.predict(["a taxi", "a dog"]).tolist() == np.asarray(labels).tolist()
    assert fitted.score(["a taxi", "a dog"], labels) == 1


def test_labels_without_a_sign_are_those_with_one() -> None:
    fitted = classifier()
    fitted.partial_fit(["a taxi"], np.array([2], np.uint64), classes=np.array([2, 7], np.int64))
    fitted.partial_fit(["a dog"], np.array([7], np.int64))

    assert fitted.classes_.tolist() == [2, 7]
    assert fitted.predict(["a taxi", "a dog"]).tolist() == [2, 7]


def test_texts_may_be_any_column() -> None:
    array, fitted = np.array(X), classifier().fit(X, Y)
    columns = [
        tuple(X),
        array,
        array.astype(object),
        array[:, None],
        pd.Series(X, index=range(5, 15)),
        pd.DataFrame({"text": X}),
        [[text] for text in X],
        (text for text in X),
    ]

    for texts in columns:
        assert len(fitted.partial_fit(texts, Y).memory_) == 10


@pytest.mark.parametrize(
    ("texts", "labels", "said"),
    [
        ("a taxi", ["a"], "X is str, not several texts"),
        (3, ["a"], "X is int, not several texts"),
        ([["a", "b"]], ["a"], "give one column"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), ["a"], "give one column"),
        (["a", float("nan")], ["a", "b"], "row 1 of X is nan, float and not text"),
        (["a", None], ["a", "b"], "row 1 of X is None"),
        (["a", b"b"], ["a", "b"], "row 1 of X is b'b', bytes and not text"),
        (["a", " "], ["a", "b"], "row 1 cannot be learnt: the input is empty"),
        (["a", "b"], ["a", ""], "row 1 cannot be learnt: the label is empty"),
        (["a", "b"], ["a"], "inconsistent numbers of samples"),
        (["a", "b"], None, "requires y to be passed"),
        (["a", "b"], ["a", None], "row 1 of y is None, not a label"),
        (["a", "b"], pd.Series(["a", None]), "row 1 of y is nan, not a label"),
        (["a", "b"], [1.0, float("nan")], "row 1 of y is nan, not a label"),
        (["a", "b"], [0.5, 0.7], "continuous"),
        (["a", "b"], [["a", "b"], ["b", "c"]], "1d array"),
        (["a", "b"], ["\u00e9", "e\u0301"], "differ only in how Unicode writes them"),
        ([], [], "no row to learn from"),
    ],
)
def test_bad_rows_are_refused_in_one_sentence(texts: Any, labels: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        classifier().fit(texts, labels)


def test_a_question_that_is_no_text_is_refused_with_its_row() -> None:
    fitted = classifier().fit(X, Y)

    with pytest.raises(ValueError, match=r"row 1 of X cannot be classified: the question is empty"):
        fitted.predict(["a taxi", ""])
    with pytest.raises(ValueError, match="row 0 of X is None"):
        fitted.predict([None])
    with pytest.raises(TypeError, match="sample_weight"):
        classifier().fit(X, Y, sample_weight=[1] * 10)


def test_what_has_learnt_nothing_says_so() -> None:
    for ask in (lambda one: one.predict(X), lambda one: one.forget("00"), lambda one: one.memory_):
        with pytest.raises(NotFittedError):
            ask(classifier())


def test_a_row_twice_counts_once_and_contradictions_share() -> None:
    twice = classifier().fit([*X, *X], [*Y, *Y])
    torn = classifier().fit([*X, X[0]], [*Y, "pets"])

    assert same(twice, classifier().fit(X, Y))
    assert torn.predict_proba(X[:1]).tolist() == [[0.5, 0.5]]


def test_one_class_is_certain() -> None:
    assert classifier().fit(X, [4] * 10).predict_proba(NEW).tolist() == [[1.0]] * 3


def test_labels_of_two_types_are_refused_and_nothing_is_learnt() -> None:
    fitted = classifier().fit(X, [0] * 5 + [1] * 5)

    with pytest.raises(ValueError, match=r"different types: \[0\] was known, and \['a'\] is given"):
        fitted.partial_fit(["a mat"], ["a"])

    assert len(fitted.memory_) == 10


def copies() -> list[Callable[[EdgeClassifier], EdgeClassifier]]:
    def dumped(one: EdgeClassifier) -> EdgeClassifier:
        file = io.BytesIO()
        joblib.dump(one, file)
        return joblib.load(file)

    return [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy, dumped]


@pytest.mark.parametrize("copied", copies(), ids=["pickle", "deepcopy", "joblib"])
def test_a_copy_is_the_same_and_goes_its_own_way(copied: Callable[[EdgeClassifier], EdgeClassifier]) -> None:
    fitted = classifier().fit(X, Y)

    other = copied(fitted)

    assert same(fitted, other)
    assert other.memory_.verify(deep=True).ok
    other.forget(X[:1], Y[:1])
    assert (len(fitted.memory_), len(other.memory_)) == (10, 9)


def test_a_pickle_of_what_forgot_does_not_hold_it() -> None:
    fitted = classifier().fit(X, Y)
    assert X[0].encode() in pickle.dumps(fitted)

    fitted.forget(X[:1], Y[:1])

    assert X[0].encode() not in pickle.dumps(fitted)


def test_a_clone_has_learnt_nothing(tmp_path: Path) -> None:
    fitted = classifier(store=tmp_path / "store", shots=3).fit(X, Y)

    cloned = clone(fitted)

    assert cloned.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        cloned.predict(X)


def test_a_store_of_its_own_is_private_and_wiped_with_it(home: Path) -> None:
    fitted = classifier().fit(X, Y)
    path = fitted.memory_.path

    assert path.parent == home / "temporary"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    fitted.fit(X, Y)
    assert not path.exists()


@forks
def test_what_a_killed_process_left_is_wiped_by_the_next(home: Path) -> None:
    child = os.fork()
    if child == 0:
        kept = classifier().fit(X, Y)
        os.kill(os.getpid(), signal.SIGKILL)
        kept.predict(X)
    os.waitpid(child, 0)
    left = [path.name for path in (home / "temporary").iterdir()]
    assert len(left) == 2

    fitted = classifier().fit(X, Y)
    other = classifier().fit(X, Y)

    assert not {path.name for path in (home / "temporary").iterdir()} & {*left}
    assert same(fitted, other)  # the living do not wipe each other


@forks
def test_a_forked_process_reads_it_and_leaves_it_to_the_parent() -> None:
    fitted = classifier().fit(X, Y)
    child = os.fork()
    if child == 0:
        path = fitted.memory_.path
        fine = len(fitted.memory_) == 10
        del fitted
        gc.collect()
        os._exit(0 if fine and path.exists() else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert fitted.memory_.verify().ok


def test_a_named_store_stays_and_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "store"
    first = classifier(store=path).fit(X, Y)
    loaded = pickle.loads(pickle.dumps(first))
    found = EdgeClassifier.from_store(path)

    assert same(first, loaded)
    assert same(first, found)
    assert found.get_params()["encoder"] == FIRST
    first.forget(X[:1], Y[:1])
    assert len(loaded.memory_) == 9
    assert same(first, found)


def test_fit_never_takes_what_a_store_holds_for_its_own(tmp_path: Path) -> None:
    with Memory.create(tmp_path / "store", encoder=FIRST) as memory:
        memory.add("a taxi", "travel", tags=["mine"])

    with pytest.raises(StoreExistsError, match="holds 1 examples that are not in this training set"):
        classifier(store=tmp_path / "store").fit(X, Y)

    added = classifier(store=tmp_path / "store").partial_fit(X, Y)
    assert len(added.memory_) == 11
    with pytest.raises(StoreExistsError):
        added.fit(X, Y)
    assert len(added.forget(["a taxi"], ["travel"]).ids) == 2  # with the tag and without
    assert same(added.fit(X, Y), EdgeClassifier.from_store(tmp_path / "store"))


def test_labels_that_another_program_taught_are_told_of(tmp_path: Path) -> None:
    numbers = classifier(store=tmp_path / "store").fit(X, [0] * 5 + [1] * 5)
    with Memory.open(tmp_path / "store") as memory:
        memory.add("pay my card", "2")

    with pytest.raises(StoreChangedError, match="does not know, such as '2'"):
        numbers.predict(NEW)
    with pytest.raises(StoreChangedError):
        numbers.partial_fit(["my card"], [0])
    assert numbers.partial_fit(["my card"], [0], classes=[0, 1, 2]).predict(["pay my card"]).tolist() == [2]
    assert EdgeClassifier.from_store(tmp_path / "store").classes_.tolist() == ["0", "1", "2"]


def test_what_cannot_be_opened_is_an_error_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError):
        EdgeClassifier.from_store(tmp_path / "none")
    with pytest.raises(ModelMissingError):
        classifier(encoder="unheard-of").fit(X, Y)
    with pytest.raises(EdgeIclError, match="ask_model cannot be 'sometimes'"):
        classifier(ask_model="sometimes").fit(X, Y).predict(NEW)


def test_it_works_where_scikit_learn_puts_it() -> None:
    frame = pd.DataFrame({"text": X, "other": range(10)})
    column = make_pipeline(ColumnTransformer([("text", "passthrough", ["text"])]), classifier())
    folded = make_pipeline(FunctionTransformer(lambda texts: [text.lower() for text in texts]), classifier())
    voted = VotingClassifier([("one", classifier()), ("other", classifier(encoder=SECOND))], voting="soft")

    assert column.fit(frame, Y).score(frame, Y) == 1
    assert folded.fit(X, Y).score([text.upper() for text in X], Y) == 1
    assert voted.fit(np.array(X), Y).score(np.array(X), Y) == 1
    assert CalibratedClassifierCV(classifier(), cv=2).fit(X, Y).predict_proba(NEW).shape == (3, 2)


def test_it_is_measured_and_searched_as_others_are() -> None:
    with joblib.parallel_backend("threading"):
        scores = cross_val_score(classifier(), X, Y, cv=2, n_jobs=2, error_score="raise")
        found = GridSearchCV(classifier(), {"encoder": [FIRST, SECOND]}, cv=2, error_score="raise").fit(X, Y)

    assert scores.tolist() == cross_val_score(classifier(), np.array(X), np.array(Y), cv=2).tolist()
    assert found.best_params_["encoder"] in (FIRST, SECOND)


def test_no_data_is_kept_of_a_classifier_that_is_measured_in_other_processes(campaign: bool) -> None:
    jobs = 2 if campaign else 1  # each process imports scikit-learn, which takes seconds
    assert len(cross_val_score(classifier(), X, Y, cv=2, n_jobs=jobs, error_score="raise")) == 2


class OfNumbers(EdgeClassifier):
    """Learns rows of numbers, which scikit-learn's checks give, as texts that name them."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
        tags.classifier_tags.poor_score = True  # the small encoder does not know numbers
        return tags

    def fit(self, rows: Any, y: Any) -> OfNumbers:
        rows, y = validate_data(self, rows, y)
        return super().fit(named(rows), y)

    def partial_fit(self, rows: Any, y: Any, classes: Any = None) -> OfNumbers:
        rows, y = validate_data(self, rows, y, reset=not hasattr(self, "classes_"))
        return super().partial_fit(named(rows), y, classes)

    def predict_proba(self, rows: Any) -> Any:
        check_is_fitted(self)
        return super().predict_proba(named(validate_data(self, rows, reset=False)))


def named(rows: Any) -> list[str]:
    return [" ".join(map(repr, row)) for row in rows.tolist()]


@pytest.mark.parametrize("kind", [EdgeClassifier, OfNumbers])
@pytest.mark.filterwarnings("ignore")  # the checks do on purpose what is warned of
def test_check_estimator_finds_nothing(
    kind: type[EdgeClassifier], campaign: bool, count: Callable[[str, int], None]
) -> None:
    every = [*estimator_checks_generator(kind(encoder=FIRST, random_state=0), legacy=True)]
    some = every if campaign or kind is EdgeClassifier else every[::8]

    for checked, check in some:
        with suppress(SkipTest):  # one asks for another array library
            check(clone(checked))

    count("checks of scikit-learn", len(some))


def test_equal_sets_with_one_random_state_are_equal_stores() -> None:
    seed = np.random.RandomState(7).bytes(32)

    one, other = classifier(random_state=7), classifier(random_state=np.random.RandomState(7))

    assert one.fit(X, Y).memory_.settings.seed == other.fit(X[::-1], Y[::-1]).memory_.settings.seed == seed
    assert same(one, other)
    assert classifier(random_state=None).fit(X, Y).memory_.root != one.memory_.root
