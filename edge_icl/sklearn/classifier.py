"""The classifier.

A store holds a set of examples, and all that is predicted is a function of this set. So the order of rows does
not matter, a row that comes twice counts once, and after `forget` the classifier is, to the last bit, one that
was fitted without the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from edge_icl.access.paths import locate
from edge_icl.access.temporary import Temporary
from edge_icl.answer.options import Options
from edge_icl.errors import (
    InputError,
    StoreChangedError,
    StoreExistsError,
)
from edge_icl.fields import taught
from edge_icl.memory import Memory
from edge_icl.results import Held
from edge_icl.sklearn.kept import Kept
from edge_icl.sklearn.rows import examples, joined, labels, text, texts
from edge_icl.store.presence import is_store
from edge_icl.store.settings import DEFAULT_SHOTS, SEED_BYTES

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray
    from sklearn.utils import Tags

    from edge_icl.answer.options import AskMode
    from edge_icl.results import Receipt
    from edge_icl.sklearn.rows import Texts


class EdgeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # they have no types
    """A classifier of texts, which remembers its training set as a store does.

    By default only the examples decide: a discriminant of their vectors and a vote of the nearest ones. That
    takes an encoder and no language model. A text that is in the training set gets the label that it has there;
    where it has several, each in proportion.

        >>> classifier = EdgeClassifier(random_state=0)
        >>> classifier = classifier.fit(["Uber to the airport", "Lunch with a client"], ["travel", "meals"])
        >>> classifier.classes_.tolist()
        ['meals', 'travel']
        >>> classifier.predict(["Taxi to the airport"]).tolist()
        ['travel']
        >>> len(classifier.forget(["Uber to the airport"], ["travel"]).ids)
        1

    Args:
        store: name or path of the store that holds the training set and stays. None gives each fitted
            classifier one of its own, in this user's home, which is wiped with it and pickled with it; what is
            pickled of a named store is where it is.
        encoder: name of the encoder; None for the default.
        shots: how many examples a language model is shown: the number of clusters of a store that is made.
        model: name of a language model, or path of a GGUF file; None for the default.
        ask_model: whether a language model judges beside the examples: "never", where it can matter ("auto"),
            or "always". That takes about a hundred times as long.
        random_state: an int gives equal classifiers for equal sets of rows, byte for byte: the seed of a store
            that is made is `numpy.random.RandomState(random_state).bytes(32)`. A RandomState gives the seed
            itself. None takes a seed that cannot be guessed.

    Attributes:
        classes_: the labels, sorted, [n_classes], in the type in which `y` gave them.
        memory_: the open `Memory`, for all else that a store can do. It is closed with the classifier.
    """

    classes_: NDArray[Any]

    def __init__(
        self,
        *,
        store: str | os.PathLike[str] | None = None,
        encoder: str | None = None,
        shots: int = DEFAULT_SHOTS,
        model: str | None = None,
        ask_model: AskMode = "never",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.store = store
        self.encoder = encoder
        self.shots = shots
        self.model = model
        self.ask_model = ask_model
        self.random_state = random_state

    @classmethod
    def from_store(
        cls, store: str | os.PathLike[str], *, model: str | None = None, ask_model: AskMode = "never"
    ) -> Self:
        """Return a fitted classifier of what a store holds already; its classes are texts.

        Raises:
            StoreNotFoundError: nothing is there.
        """
        memory = Memory.open(store, create=False, model=model)
        settings = memory.settings
        made = cls(
            store=store, encoder=settings.encoder, shots=settings.shots, model=model, ask_model=ask_model
        )
        made._begin(Kept(memory, model))
        made._take({output: output for output in sorted(memory.outputs())})
        return made

    def fit(self, X: Texts, y: ArrayLike) -> Self:
        """Learn a training set, and nothing else.

        Args:
            X: texts, [n].
            y: their labels, [n]: texts, whole numbers or truth values.

        Raises:
            ValueError: X is not texts, or y not labels of them.
            StoreExistsError: the store has examples that are not in this set; `partial_fit` would add to them.
            ModelMissingError: the encoder is not on this machine.
        """
        rows, outputs = examples(X, y)
        named = joined(outputs[:0], outputs)
        kept = self._opened()
        memory = kept.memory
        others = {*memory.ids()} - {row.id(memory.settings.seed).hex() for row in rows}
        if others:
            raise StoreExistsError(
                f"the store {memory.path} holds {len(others)} examples that are not in this training set, and "
                "fit begins from nothing",
                "call partial_fit to add to them, or give another store or none",
            )
        memory.add_many(rows)
        self._begin(kept)
        self._take(named)
        return self

    def partial_fit(self, X: Texts, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Learn more rows, beside what is known.

        Args:
            X: texts, [n].
            y: their labels, [n]; new ones may be among them.
            classes: labels that `classes_` is to have whether or not a row has them. A store that holds
                numbers as labels from before needs all of them here.

        Raises:
            ValueError: X is not texts, y not labels of them, or labels are not of one type.
            ModelMissingError: the encoder is not on this machine.
        """
        rows, outputs = examples(X, y)
        declared = outputs[:0] if classes is None else labels(classes)
        known = vars(self).get("classes_", outputs[:0])
        named = joined(np.array([*joined(known, declared).values()]), outputs)
        kept = self._kept if "_kept" in vars(self) else self._opened()
        if strangers := kept.memory.outputs().keys() - named.keys():
            if not all(isinstance(label, str) for label in named.values()):
                raise _stranger(kept.memory, strangers)
            named = joined(np.array([*named.values()]), np.array([*strangers]))
        if "_kept" not in vars(self):
            self._begin(kept)
        self._declared |= {text(label) for label in declared}
        kept.memory.add_many(rows)
        self._take(named)
        return self

    def predict(self, X: Texts) -> NDArray[Any]:
        """Return the likeliest label of each text, [n].

        Raises:
            NotFittedError: nothing has been learnt.
            ValueError: X is not texts.
        """
        likeliest = self.predict_proba(X).argmax(axis=1)
        found: NDArray[Any] = self.classes_[likeliest]
        return found

    def predict_proba(self, X: Texts) -> NDArray[np.float64]:
        """Return the probability of each label for each text, [n, n_classes], in the order of `classes_`.

        Raises:
            NotFittedError: nothing has been learnt.
            ValueError: X is not texts.
            StoreChangedError: another program gave the store a label that is not in `classes_`.
        """
        check_is_fitted(self)
        asked = texts(X)
        columns = {text(label): i for i, label in enumerate(self.classes_)}
        shares = np.zeros((len(asked), len(columns)))
        options = Options(labels="on", shots=self.shots, ask_model=self.ask_model)
        for i, answer in enumerate(self.memory_.ask_many(asked, options)):
            if isinstance(answer, InputError):
                raise ValueError(f"row {i} of X cannot be classified: {answer}")
            if unknown := answer.labels.keys() - columns.keys():
                raise _stranger(self.memory_, unknown)
            for label, share in answer.labels.items():
                shares[i, columns[label]] = share
        return shares

    def forget(self, X: Texts | Held | Iterable[str | Held], y: ArrayLike | None = None) -> Receipt:
        """Forget examples: wiped from the disk, and out of every prediction, when it returns.

        Args:
            X: with `y`, texts [n]: all examples with these inputs and labels are forgotten. Without, ids, or
                what `memory_.find` and `memory_.search` return.
            y: labels [n].

        Raises:
            ExampleNotFoundError: one of them is not there; nothing was forgotten.
            NotFittedError: nothing has been learnt.
        """
        memory = self.memory_
        root = memory.root
        if y is None:
            several = [X] if isinstance(X, str | Held) else cast("Iterable[str | Held]", X)
            ids = [one.id if isinstance(one, Held) else one for one in several]
        else:
            ids = taught(memory, examples(cast("Texts", X), y)[0])
        receipt = memory.forget(*ids, root=root)
        self._take({text(label): label for label in self.classes_})
        return receipt

    @property
    def memory_(self) -> Memory:
        """The open store.

        Raises:
            NotFittedError: nothing has been learnt.
        """
        if "_kept" not in vars(self):
            raise NotFittedError("this EdgeClassifier has learnt nothing yet: call fit or partial_fit first")
        return self._kept.memory

    def __sklearn_is_fitted__(self) -> bool:
        return "_kept" in vars(self) and len(self.memory_) > 0

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def _opened(self) -> Kept:
        """Return the store that the parameters name, or one of its own; it is made if nothing is there."""
        place, path = None, self.store
        if path is None:
            place = Temporary()
            path = place.path
        if not is_store(locate(path)):
            seed = None
            if self.random_state is not None:
                seed = check_random_state(self.random_state).bytes(SEED_BYTES)
            Memory.create(path, shots=self.shots, seed=seed, encoder=self.encoder, labels="yes").close()
        memory = Memory.open(path, create=False, encoder=self.encoder, model=self.model)
        return Kept(memory, self.model, place)

    def _begin(self, kept: Kept) -> None:
        """Go on with another store, of which nothing is known."""
        self._kept, self._declared = kept, set[str]()

    def _take(self, named: dict[str, Any]) -> None:
        """Have `classes_` be the labels that the store holds or that were declared, of these by their texts."""
        held = self.memory_.outputs().keys() | self._declared
        self.classes_ = np.array([label for name, label in named.items() if name in held])


def _stranger(memory: Memory, unknown: Iterable[str]) -> StoreChangedError:
    """Return the error for labels that another program gave the store."""
    return StoreChangedError(
        f"the store {memory.path} holds labels that this classifier does not know, such as {min(unknown)!r}",
        "make it again with EdgeClassifier.from_store, or give partial_fit all of them as `classes`",
    )
