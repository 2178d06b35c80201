"""Labels for rows, from one state of a store, in as many processes as an engine starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from edge_icl.access.paths import locate, spelled
from edge_icl.answer.options import Options, combined
from edge_icl.answer.questions import many
from edge_icl.batch import process
from edge_icl.batch.columns import Basis, Result, filled, names
from edge_icl.batch.machine import Machine, refuse_other
from edge_icl.batch.process import Pinned, Source
from edge_icl.batch.rows import is_missing, rows_of
from edge_icl.errors import InputError
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.runtime.arguments import kind
from edge_icl.runtime.cores import at_most
from edge_icl.runtime.home import expanded
from edge_icl.runtime.progress import silent

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Sequence

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.answer.options import OptionFields

T = TypeVar("T")

NO_TEXT = Result(error="the question is missing")


class Labeler:
    """Labels tables from a store: called with rows, it gives them back with the columns of `columns.names`.

        >>> with Memory.open("work") as memory:
        ...     taught = memory.add("Uber to the airport", "travel")
        >>> label = Labeler("work", ask_model="never")
        >>> labelled = label({"input": ["Taxi downtown", None]})
        >>> labelled["answer"], labelled["error"]
        (['travel', None], [None, 'the question is missing'])
        >>> label.close()

    Each row has the answer that `Memory.ask` gives to it, bit for bit, whatever the batch. All come from one
    state of the store, that of `root`: in another one it refuses. The store is only read, and nothing is
    written into its directory, so it may lie on a read-only mount.

    It is cheap to pickle, and so to give to the processes of an engine: these load the store and the models
    from their paths, at the first rows, once a process. Pickling one pins its root. Safe to use from several
    threads.

    Args:
        store: its name, or a path, at which every process finds it.
        root: the state that the rows are labelled from; None for the one at first use.
        column: the column with the questions.
        machine: what `machine()` returned in the process that begins; one that computes otherwise refuses.
        allow_mixed: mark the rows of such a process instead, in the column `machine`.
        encoder: the encoder that the store must have, its name or its path; None for whichever it has.
        model: name of an LLM, or path of a GGUF file or of a model's folder; None for the default.
        gpu_layers: how many layers the GPU holds; None is all, where llama.cpp was built for one.
        threads: processor threads: one, as engines start a process for each core. None is all cores.
        passphrase: of an encrypted store. It goes to the processes as it is given: give a function that finds
            it there, such as one that reads an environment variable, and it goes nowhere.
        options: fields of `Options`.

    Raises:
        InputError: an argument is of another kind, or out of range.
        TypeError: there is no option of a name.
    """

    _root: str

    def __init__(
        self,
        store: str | os.PathLike[str],
        *,
        root: str | None = None,
        column: str = "input",
        machine: Machine | None = None,
        allow_mixed: bool = False,
        encoder: str | os.PathLike[str] | None = None,
        model: str | os.PathLike[str] | None = None,
        gpu_layers: int | None = None,
        threads: int | None = 1,
        passphrase: Passphrase | None = None,
        **options: Unpack[OptionFields],
    ) -> None:
        for what, value, known in (("root", root, str | None), ("column", column, str)):
            if not isinstance(value, known):
                raise InputError(f"the {what} is {kind(value)}, not text", "give it as a string")
        if not isinstance(machine, Machine | None):
            raise InputError(f"the machine is {kind(machine)}", "give what Labeler.machine returned")
        if allow_mixed and machine is None:
            raise InputError("there is no machine to tell others from", "give machine=, from Labeler.machine")
        engine = EngineOptions(gpu_layers=gpu_layers, threads=threads)
        engine.check()
        self._source = Source(locate(store), _absolute(encoder), _absolute(model), engine, passphrase)
        self._options = combined(Options(), options)
        self._options.constraint()
        self._column = column
        self._machine = machine
        self._mixed = allow_mixed
        if root is not None:
            self._root = root

    def __call__(self, rows: T) -> T:
        """Return rows with the columns added, in their order; all other columns stay.

        Args:
            rows: a `pyarrow.Table` or `RecordBatch`, a dict of columns (lists, or arrays of numpy), or a
                `pandas.DataFrame`. The same kind is returned. A row that cannot be answered says why in its
                column `error`.

        Raises:
            InputError: the rows are of another kind, have no such column, or have one that is to be added.
            StoreChangedError: the store has another root.
            MachineDiffersError: this process computes otherwise than the one that began.
            StoreNotFoundError: the store is not on this machine.
            StoreEmptyError: it holds no examples.
            ModelMissingError: a model that is needed is not on this machine.
        """
        given = rows_of(rows)
        given.refuse(self._column, names(mixed=self._mixed))
        found: T = given.with_columns(self._columns(given.values(self._column)))
        return found

    @property
    def root(self) -> str:
        """The root of the state that rows are labelled from: the given one, or that at first use."""
        if "_root" not in self.__dict__:  # of two threads the second takes what the first has found
            self.__dict__.setdefault("_root", process.loaded(self._source).root())
        return self._root

    @property
    def column(self) -> str:
        """The column with the questions."""
        return self._column

    @property
    def encoder(self) -> str:
        """The digest of the store's encoder."""
        return process.loaded(self._source).opened.store.settings.encoder_digest

    def held(self, ids: Collection[str]) -> set[str]:
        """Return which of these ids of examples the store holds, in the state that rows are labelled from.

        Raises:
            StoreChangedError: the store has another root.
        """
        pinned = Pinned(process.loaded(self._source).opened, self.root)
        return pinned.read(lambda now: {id for id in ids if now.locate(bytes.fromhex(id)) is not None})

    def machine(self) -> Machine:
        """Return what this process computes, to be given to the labelers of others; loads what is needed.

        Raises:
            StoreNotFoundError: the store is not on this machine.
            ModelMissingError: a model that is needed is not on this machine.
        """
        with at_most(self._source.options.threads):
            return process.loaded(self._source).machine(self._options)

    def close(self) -> None:
        """Give back what this process has loaded, also for copies of this; the next rows load it again."""
        process.close(self._source)

    def __getstate__(self) -> dict[str, Any]:
        """Return what goes to another process: nothing that is loaded; all copies have one root."""
        self._source.refuse_private()
        return {**self.__dict__, "_root": self.root}

    def _columns(self, texts: Sequence[object]) -> dict[str, list[Any]]:
        """Return the columns to add for the texts of a batch."""
        if not texts:
            return filled([], Basis("", "", None, self._mixed))
        with at_most(self._source.options.threads):
            loaded, root = process.loaded(self._source), self.root
            opened = Pinned(loaded.opened, root)
            opened.read(lambda _: None)  # of another root nothing is loaded, and no machine is compared
            remark = self._remark(loaded)
            results = self._answers(opened, texts)
        return filled(results, Basis(root, opened.store.settings.encoder_digest, remark, self._mixed))

    def _answers(self, opened: Pinned, texts: Sequence[object]) -> list[Result]:
        """Return what becomes of each text; equal ones are asked once."""
        distinct = {text: None for text in texts if isinstance(text, str)}
        found = many(opened, distinct, self._options, silent, None)
        answers = dict(zip(distinct, map(Result.of, found), strict=True))
        return [answers[text] if isinstance(text, str) else _no_text(text) for text in texts]

    def _remark(self, loaded: process.Loaded) -> str | None:
        """Return how this machine differs, None where it does not.

        Raises:
            MachineDiffersError: it does, and must not.
        """
        if self._machine is None:
            return None
        own = loaded.machine(self._options)
        remarks = self._machine.differs(own)
        if not self._mixed:
            refuse_other(self._machine, own, remarks)
        return f"{own.host}: {'; '.join(remarks)}" if remarks else None


def _absolute(model: str | os.PathLike[str] | None) -> str | None:
    """Return the name of a model, or its path, which must mean the same in a process with another directory."""
    from edge_icl.models.location import is_path

    text = spelled(model)
    return str(expanded(text)) if text is not None and is_path(text) else text


def _no_text(value: object) -> Result:
    """Return what becomes of a value that is no text."""
    return NO_TEXT if is_missing(value) else Result(error=f"the question is {kind(value)}, not text")
