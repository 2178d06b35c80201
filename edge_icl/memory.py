"""Memory: a store, its encoder and an LLM behind one object. Each method is one call into a room.

    with edge_icl.Memory.open("work") as memory:
        memory.add("Uber to the airport", "travel")
        answer = memory.ask("Taxi downtown")
        receipt = memory.forget(answer.examples[0])
        assert memory.verify(deep=True).ok

Opening reads two small files. The encoder loads with the first text that must be embedded and the LLM with the
first question, so forgetting by id, listing and verifying never load either. Every call sees the store as it
is at that moment, also after another process has changed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from edge_icl.access.opening import make, make_like, opened_or_made, place_of, refuse_other
from edge_icl.access.paths import locate, spelled
from edge_icl.answer.engines import Engines
from edge_icl.answer.open_store import OpenStore
from edge_icl.answer.options import Options, combined
from edge_icl.answer.questions import answered, many, stream
from edge_icl.encode.vector import Vector
from edge_icl.errors import InputError, StoreExistsError
from edge_icl.example import Example, normalise
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.results import Held
from edge_icl.runtime.arguments import each, number, told, whole
from edge_icl.runtime.bound import Bound
from edge_icl.runtime.home import DEFAULT_STORE
from edge_icl.runtime.lifetime import Lifetime
from edge_icl.runtime.progress import Progress, silent
from edge_icl.search.filters import Filters
from edge_icl.search.finding import every_example, has_output, held, nearest, outputs, select
from edge_icl.store.keys import STRETCH, no_passphrase
from edge_icl.store.lock import DEFAULT_TIMEOUT
from edge_icl.store.manifest import AUTO
from edge_icl.store.presence import is_store
from edge_icl.store.recovery import Unfinished, unfinished
from edge_icl.store.settings import DEFAULT_SHOTS

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.access.receipts import Sign
    from edge_icl.answer.check import Check
    from edge_icl.answer.options import OptionFields
    from edge_icl.answer.reply import Reply
    from edge_icl.encode.languages import Foreign
    from edge_icl.encode.tokens import Reading
    from edge_icl.forms import ExampleForm, IdForm, ReceiptForm
    from edge_icl.results import (
        Added,
        Answer,
        Labelling,
        Merged,
        Receipt,
        Reencoded,
        Renamed,
        Replaced,
        Report,
        Suggestion,
    )
    from edge_icl.runtime.cancel import Cancel
    from edge_icl.store.disk import Store
    from edge_icl.store.findings import Verification
    from edge_icl.store.keys import Stretch
    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.settings import Settings

DEFAULT_OPTIONS = Options()


class Memory(Bound):
    """An open store. Make one with `open` or `create`; close it, or use it in a `with` statement.

        >>> memory = Memory.open("work")
        >>> memory.add("Uber to the airport", "travel").added
        1
        >>> memory.add_many([("Lunch with a client", "meals")]).added
        1
        >>> memory.ask("Taxi downtown", labels="on").text
        'travel'
        >>> [held.input for held in memory.search("dinner", limit=1)]
        ['Lunch with a client']
        >>> receipt = memory.forget(memory.find(match="lunch"))
        >>> memory.verify(deep=True).ok, len(memory)
        (True, 1)
        >>> memory.close()

    Safe to call from several threads; starts no thread that outlives the call. Stores that are open in one
    process share models: a model evaluates for one question at a time, and answers take turns at every token.
    """

    instead = "open the store in the other process, by its path or its name"

    @classmethod
    def open(
        cls,
        store: str | os.PathLike[str] = DEFAULT_STORE,
        *,
        create: bool | Literal["later"] = True,
        encoder: str | os.PathLike[str] | None = None,
        model: str | os.PathLike[str] | None = None,
        gpu_layers: int | None = None,
        threads: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        passphrase: Passphrase | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Open a store.

        Args:
            store: its name, or a path (anything with a separator).
            create: make it, with default settings, if nothing is there, and warn (UserWarning) if its name is
                that of another store with a slip in it; "later" with its first examples, so that none is left
                where there are none. One to be encrypted is made at once. False makes none.
            encoder: the encoder that it must have been made with, its name or the path of its
                folder, which a program may ship; None for whichever it was.
            model: name of an LLM, or path of a GGUF file or of a model's folder; None for the default.
            gpu_layers: how many layers the GPU holds; None is all, where llama.cpp was built for one.
            threads: processor threads; None is one for each core that this process may use.
            timeout: seconds to wait for another writer.
            passphrase: of an encrypted store; if it must be made, it is encrypted. What is called for one is
                called only if it is needed.
            progress: told about models that are loaded, in bytes, from the thread that first needs them; what
                it raises ends the loading and the call.

        Raises:
            PassphraseError: it is encrypted and this is not its passphrase, or it is not and this is one.
            NotInstalledError: it is encrypted, and a package for that is not installed.
            StoreNotFoundError: nothing is there, and `create` is false; the hint names stores that are
                called nearly so.
            NotAStoreError: something else is there.
            StoreExposedError: another user owns it or may write to it.
            StoreFormatError: a newer edge-icl made it.
            StoreEncoderError: it was made with another encoder.
            StoreDamagedError: its settings or its manifest are damaged.
            ModelMissingError: it must be made, and the encoder is not on this machine; or is not at its path.
            ModelFileError: what is at the encoder's path is not usable.
            InputError: an argument is of another kind, or out of range.
        """
        path, encoder, model = locate(store), spelled(encoder), spelled(model)
        timeout = number(timeout, "timeout", least=0)
        options = EngineOptions(gpu_layers=gpu_layers, threads=threads)
        options.check()
        told(progress)
        opened = opened_or_made(path, create=create, encoder=encoder, passphrase=passphrase)
        refuse_other(opened, encoder)
        lifetime = Lifetime(path)
        engines = Engines(
            opened.settings,
            model=model,
            encoder=place_of(encoder),
            options=options,
            progress=lifetime.heeded_by(progress),
        )
        return cls(opened, engines, lifetime, timeout=timeout)

    @classmethod
    def create(
        cls,
        store: str | os.PathLike[str] = DEFAULT_STORE,
        *,
        like: Memory | str | os.PathLike[str] | None = None,
        shots: int | None = None,
        seed: bytes | None = None,
        encoder: str | os.PathLike[str] | None = None,
        task: str | None = None,
        labels: LabelsSetting | None = None,
        passphrase: Passphrase | None = None,
        stretch: Stretch | None = None,
    ) -> Self:
        """Make a new store.

        Args:
            store: its name, or a path.
            like: a store whose seed, settings and setting for labels it has, so that `merge` makes one of both:
                a memory, a name or a path. No other argument but `passphrase` goes with it, and the encoder
                need not be on this machine. An encrypted one that is not given as a memory is opened with
                `passphrase`, and so is the new one, which is encrypted too; it has a key of its own.
            shots: how many examples go into a prompt: the number of clusters; None for 8.
            seed: 32 bytes that every id and digest depends on; for tests and audits. None for random ones.
            encoder: name of the encoder, or path of its folder; None for the default.
            task: what is asked of the model, in words, such as "Classify the expense"; None for nothing.
            labels: whether the outputs are labels, of which an answer is one ("yes"), or texts, so that answers
                are written ("no"); "auto", or None, decides from the outputs. `set_labels` changes it later.
            passphrase: encrypts the store; None for a plain one. With a seed, the data key follows from both.
            stretch: what trying a passphrase costs; less than the default, None, is for tests and audits.

        Raises:
            NotInstalledError: it is to be encrypted, and a package for that is not installed.
            PassphraseError: the operating system's keyring refuses; or `like` is encrypted, and the passphrase
                is not its own or was not given.
            StoreExistsError: a store is there already.
            NotAStoreError: something else is there.
            StoreNotFoundError: there is no store that is called `like`.
            ModelMissingError: the encoder is not on this machine.
            InputError: the shots, the seed, the task, the setting for labels or the passphrase are not valid,
                or do not go with `like`.
        """
        path, encoder = locate(store), spelled(encoder)
        if is_store(path):
            raise StoreExistsError(f"there is a store at {path} already", "use it, or choose another name")
        if like is not None:
            if any(one is not None for one in (shots, seed, encoder, task, labels, stretch)):
                raise InputError(
                    "a store that is like another has its settings", "leave like out, or the others"
                )
            from edge_icl.changes.merging import opened_as

            with opened_as(cls._meant(like), passphrase) as other:
                opened = make_like(path, other, passphrase)
        else:
            opened = make(
                path,
                encoder=encoder,
                shots=DEFAULT_SHOTS if shots is None else shots,
                seed=seed,
                task=task,
                labels=AUTO if labels is None else labels,
                passphrase=passphrase,
                stretch=STRETCH if stretch is None else stretch,
            )
        engines = Engines(opened.settings, encoder=place_of(encoder))
        return cls(opened, engines, Lifetime(path), timeout=DEFAULT_TIMEOUT)

    def __init__(self, store: Store, engines: Engines, lifetime: Lifetime, *, timeout: float) -> None:
        self._opened = OpenStore(store, engines, lifetime, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what other threads do here and give models and memory back; nothing runs when it returns.

        Questions that are being answered raise StoreClosedError within a token, as does what takes long:
        loading, embedding, checking. A change that is being written is finished. Calling it again does nothing.

        Raises:
            StoreBusyError: called from a progress callback of this store.
        """
        self._opened.close()

    @property
    def path(self) -> Path:
        """The store's directory; with create="later" it is there from the first examples on."""
        return self._opened.store.place

    @property
    def settings(self) -> Settings:
        """What the store was made with."""
        return self._opened.store.settings

    @property
    def labels_setting(self) -> LabelsSetting:
        """Whether the outputs are labels ("yes") or texts ("no"), or what they show decides ("auto")."""
        return self._opened.read(lambda snapshot: snapshot.manifest.labels)

    @property
    def encrypted(self) -> bool:
        """Whether the files of the store are sealed."""
        return self._opened.store.key is not None

    @property
    def root(self) -> str:
        """One string that names the whole content of the store: equal roots mean equal stores."""
        return self._opened.read(lambda snapshot: snapshot.root)

    @property
    def likeness(self) -> float:
        """From which similarity on two inputs say nearly the same to the store's encoder.

        Where the encoder is not on this machine, that of the default one.
        """
        return self._opened.engines.likeness().threshold

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes such as "en" of the languages that the store's encoder reads well; () if that is not known."""
        return self._opened.engines.languages()

    def __repr__(self) -> str:
        """Say where the store is and how many examples it holds, none of them, and whether it is closed."""
        return f"<Memory {self._opened.described()}>"

    def __bool__(self) -> bool:
        """Be true also where there are no examples: `if memory` asks whether there is a store."""
        return True

    def __len__(self) -> int:
        return self._opened.read(lambda snapshot: snapshot.manifest.count)

    def __iter__(self) -> Iterator[Held]:
        return self.examples()

    def __contains__(self, example: IdForm | ExampleForm) -> bool:
        """Tell whether the store holds an example; reads one page, however many there are.

        Args:
            example: in a form that `add_many` takes: the same to the letter, tags and source too. What a store
                returned, or a string, is looked for by its id; the beginning of one will do.

        Raises:
            InputError: it is neither; a text of an example is looked for with `find`.
        """
        from edge_icl import forms

        if not isinstance(example, str | Held):
            wanted = forms.example(example).id(self.settings.seed)
            return self._opened.read(lambda snapshot: snapshot.locate(wanted) is not None)
        digits = forms.digits(self._id(example))
        return self._opened.read(lambda snapshot: bool(snapshot.beginning(digits)))

    @property
    def wiped(self) -> int:
        """How many files were wiped on opening the store, since a change that was cut off had left them."""
        return self._opened.store.wiped

    @property
    def commits(self) -> int:
        """How many changes were made through this handle; making a store, this one or by `reencode`, counts."""
        return self._opened.store.commits

    def unfinished(self) -> Unfinished | None:
        """Return what a change left that was cut off and cannot be wiped now, and why; None if nothing is."""
        with self._opened.lifetime.at_work():
            return unfinished(self._opened.store)

    def load(self) -> None:
        """Load the encoder and the LLM now, rather than with the first text and the first question.

        Raises:
            ModelMissingError: one of them is not on this machine.
            ModelFileError: a model's file is not usable.
        """
        with self._opened.lifetime.at_work():
            self._opened.engines.encoder()
            self._opened.engines.model()

    def add(self, input: str, output: str, *, tags: Iterable[str] = (), source: str | None = None) -> Added:
        """Add one example, to the letter; adding it again changes nothing.

        White space around the output stays; `edge_icl.search.spelling.stripped` strips what a user typed.

        Raises:
            InputError: a text is empty, too long for the model, or not valid text.
        """
        return self.add_many([Example.create(input, output, tags=tags, source=source)])

    def add_many(
        self,
        examples: Iterable[ExampleForm],
        *,
        vectors: Iterable[Vector | None] | None = None,
        progress: Progress = silent,
    ) -> Added:
        """Add examples in one commit: all of them, or none.

        There may be millions: they are read as a stream, and wait in a temporary file that nobody else can
        read. All are read before one is embedded.

        Args:
            examples: each a pair of input and output; a dict with these fields, and perhaps tags and source; an
                `Example`; or a `Held`, as a store returns them.
            vectors: one for each example, as `export` gives them. Those that this store's encoder made are
                taken as they are; what has no other vector is embedded.
            progress: told about each text that is embedded.

        Raises:
            InputError: something is not an example, is too long for the model, or has a vector of another kind;
                the message names its position.
            ValueError: there are not as many vectors as examples.
            ModelMissingError: the encoder is not on this machine.
            StoreAccessError: the operating system refused; nothing was added.
        """
        from edge_icl import forms
        from edge_icl.changes.adding import add

        return add(self._opened, forms.stream(examples), vectors, progress)

    def forget(
        self,
        *ids: IdForm | Added | Iterable[IdForm | Added],
        similar: float | None = None,
        root: str | None = None,
        sign: bool = False,
    ) -> Receipt:
        """Forget examples in one commit: all of them, or none; returns when they are wiped from the disk.

        Args:
            ids: of the examples; the beginning of an id will do, where no other id begins so. Also what `find`,
                `search` and `examples` return, an `Example`, and lists of all these. An `Added` means the
                examples that were new then, not those that the store held before: it takes the add back.
            similar: also look for near copies that are left, with a similarity from this on, such as
                `likeness`; reads every vector.
            root: the store's, when it was decided what to forget; None if changes since then do not matter.
            sign: also sign a receipt for others with the key of this home, which the first time is made.

        Raises:
            InputError: no id is given, or something that names no example.
            StoreChangedError: the root is another one by now; nothing was forgotten.
            ExampleNotFoundError: no example has one of the ids; nothing was forgotten.
            AmbiguousIdError: several ids begin with one of them; nothing was forgotten.
            NotInstalledError: it is to be signed, and a package for that is not installed.
            SignatureError: it cannot be signed; nothing was forgotten, unless `committed` says otherwise.
            StoreAccessError: the operating system refused.
        """
        from edge_icl import forms
        from edge_icl.changes import forgetting

        signer = self._signer(sign=sign)
        wanted = forms.ids(ids, self.settings.seed)
        return forgetting.forget(self._opened, wanted, similar=similar, root=root, sign=signer)

    def forget_from(
        self,
        *receipts: ReceiptForm,
        similar: float | None = None,
        root: str | None = None,
        sign: bool = False,
    ) -> Receipt:
        """Forget what was forgotten in another store with this one's seed, in one commit, as `forget` does.

        A receipt names examples by their ids, which are the same in both stores. One that is not here is no
        error: the receipt that this returns has the ids of those that were. What took the place of an example,
        by `replace` or `rename_label`, is not in their receipts: `merge` brings it.

        Args:
            receipts: what `forget`, `replace` or `rename_label` returned there, its JSON, or the content of the
                file of a receipt. A signed one must be what was signed.
            similar: see `forget`.
            root: see `forget`.
            sign: see `forget`; where nothing is here, nothing is signed.

        Raises:
            InputError: something is no receipt, or one of a store with another seed; nothing was forgotten.
            SignatureError: a receipt was changed after it was signed, nothing was forgotten; or see `forget`.
            NotInstalledError: a receipt is signed, or is to be, and a package for that is not installed.
            StoreChangedError: the root is another one by now; nothing was forgotten.
            StoreAccessError: the operating system refused.
        """
        from edge_icl.changes import forgetting

        ids, signer = forgetting.named(receipts, self.settings), self._signer(sign=sign)
        return forgetting.forget(self._opened, ids, similar=similar, root=root, sign=signer)

    def merge(
        self,
        *stores: Memory | str | os.PathLike[str],
        into: str | os.PathLike[str] | None = None,
        receipts: Iterable[ReceiptForm] = (),
        dry_run: bool = False,
        passphrase: Passphrase | None = None,
    ) -> Merged:
        """Bring the examples of other stores with this one's seed, encoder and settings, in one commit.

        This is then, byte for byte, a store that was given all of them from the beginning: whatever the order
        in which stores are merged, and however often. An example that has different vectors in two of them has
        the one with the smaller bytes. The setting for labels is that of the stores that have one. The others
        are only read. No model is needed.

        No store remembers what it has forgotten: what was forgotten in one of them, and not in another, is
        here again. `receipts` of the forgets prevent that; `dry_run` shows what would come.

        Args:
            stores: the others, each a memory, a name or a path.
            into: a new store, for all of it: then this one stays as it is. A name, or a path.
            receipts: see `forget_from`: the examples that they name do not come, and are forgotten here.
            dry_run: change nothing, and say what would be done.
            passphrase: of those of the others that are given by a name or a path, which then are all encrypted,
                and of a new store, which is encrypted if one of them is. A store with a passphrase of its own
                is opened first, and given as a memory. Is not needed where the keyring has it.

        Raises:
            InputError: a store is this one, has another seed, other settings or a contrary setting for labels,
                or is given twice; or something is no receipt. Nothing was changed, as with all other errors.
            StoreEncoderError: a store was made with another encoder.
            PassphraseError: a store is encrypted and its passphrase is missing or wrong, or it would come into
                a plain one.
            StoreNotFoundError: there is no such store.
            StoreDamagedError: a store is damaged; the message says which.
            StoreExistsError: a store is at `into` already.
            StoreBusyError: another writer held the lock of this store for longer than the timeout.
            StoreAccessError: the operating system refused.
        """
        from edge_icl.changes import forgetting, merging

        others = [self._meant(one) for one in stores]
        leave = forgetting.named(receipts, self.settings)
        if into is None:
            return merging.merge(self._opened, others, passphrase, leave=leave, dry_run=dry_run)
        place = locate(into)
        return merging.merge_into(self._opened, others, place, passphrase, leave=leave, dry_run=dry_run)

    def replace(
        self,
        id: IdForm,
        *,
        input: str | None = None,
        output: str | None = None,
        tags: Iterable[str] | None = None,
        source: str | None = None,
    ) -> Replaced:
        """Put a corrected example in the place of one, in one commit: the old one is forgotten as by `forget`.

        Fields that are not given stay as they are, and while the input does so does its vector: no model is
        needed then.

        Args:
            id: of the example; its beginning will do, where no other id begins so. Or what `find` returned.
            input: the new input.
            output: the new output.
            tags: the new tags, in place of all old ones.
            source: the new source; "" for none.

        Raises:
            InputError: a text is empty, too long for the model, or not valid text.
            ExampleNotFoundError: no example has the id; nothing was changed.
            AmbiguousIdError: several ids begin with it; nothing was changed.
            ModelMissingError: the input is new, and the encoder is not on this machine.
            StoreAccessError: the operating system refused.
        """
        from edge_icl.changes.correcting import replace

        return replace(self._opened, self._id(id), input=input, output=output, tags=tags, source=source)

    def reencode(
        self,
        into: str | os.PathLike[str],
        encoder: str | os.PathLike[str],
        *,
        passphrase: Passphrase | None = None,
        progress: Progress = silent,
    ) -> Reencoded:
        """Make a new store of these examples, with the vectors of another encoder; this one stays as it is.

        All else is the same: seed, and so the ids; shots, task, the setting for labels. The new store is, byte
        for byte, one that was made with these settings and given these examples, in any order. It appears with
        all of them, in one commit, or not at all. It holds one state of this store: what other processes add
        or forget while texts are embedded is taken into account, what they change later is not.

        Args:
            into: the new store's name, or a path.
            encoder: the name of its encoder, or the path of its folder.
            passphrase: encrypts the new store. None is enough if this one is plain, for a plain one, or if the
                keyring has the passphrase of this one, for a random one there.
            progress: told about each text that is embedded.

        Raises:
            StoreEncoderError: this store has that encoder.
            ModelMissingError: the encoder is not on this machine.
            StoreExistsError: a store is there already; the empty one of an attempt that was cut off is taken.
            NotAStoreError: something else is there.
            InputError: it would lie in this store.
            PassphraseError: this store is encrypted and no passphrase was given, or the keyring refuses.
            StoreAccessError: the operating system refused; nothing was made, or `committed` says otherwise.
        """
        from edge_icl.changes.reencoding import reencode

        return reencode(self._opened, locate(into), spelled(encoder), passphrase, progress)

    def rename_label(self, old: str, new: str) -> Renamed:
        """Give all examples with one label another, in one commit.

        The store is then, byte for byte, one that was taught the new label from the beginning: the old examples
        are forgotten as by `forget`. Their vectors stay, so that no model is needed. Where an example with the
        new label is there already, the same in all else, one of both is left. A label can be renamed back,
        unless the new one was a label before: then they are one.

        Args:
            old: the label, to the letter; an output of any kind.
            new: the new one.

        Raises:
            ExampleNotFoundError: no example has the old label; the hint says what may have been meant.
            InputError: the new label is empty, makes an example too long for the model, or is not valid text.
            StoreAccessError: the operating system refused.
        """
        from edge_icl.changes.correcting import rename_label

        return rename_label(self._opened, old, new)

    def set_labels(self, setting: LabelsSetting) -> bool:
        """Say whether the outputs are labels, for every question from now on; one commit, as other changes.

        `Options(labels=...)` still decides for one question. With "auto" again, the store's bytes are those of
        one that never had another setting.

        Args:
            setting: "yes" for labels, of which an answer is one; "no" for texts, so that answers are written;
                "auto" to decide from the outputs.

        Returns:
            Whether the store had another setting before; where not, nothing was changed.

        Raises:
            InputError: there is no such setting.
            StoreAccessError: the operating system refused.
        """
        from edge_icl.changes.correcting import set_labels

        return set_labels(self._opened, setting)

    def ask(
        self,
        question: str,
        options: Options = DEFAULT_OPTIONS,
        *,
        cancel: Cancel | None = None,
        **named: Unpack[OptionFields],
    ) -> Answer:
        """Answer a question from the examples.

        Args:
            question: an input like those of the examples.
            options: how.
            cancel: set it from any thread, and the model stops within a token.
            named: fields of `Options` by name, such as `labels="on"`; they come before those of `options`.

        Raises:
            AskCancelledError: it was set before the answer was complete.
            StoreClosedError: the store was closed before the answer was complete.
            InputError: the question is empty or too long, or an option is not valid.
            TypeError: there is no option of this name.
            ModelMissingError: the encoder or the LLM is not on this machine.
            ModelFileError: a model's file is not usable.
            ExamplesChangedError: the examples changed each time before the answer was complete, for a minute.
        """
        chosen = combined(options, named)
        return answered(lambda: self.stream(question, chosen, cancel=cancel), cancel)

    def ask_many(
        self,
        questions: Iterable[str],
        options: Options = DEFAULT_OPTIONS,
        *,
        progress: Progress = silent,
        cancel: Cancel | None = None,
        **named: Unpack[OptionFields],
    ) -> Iterator[Answer | InputError]:
        """Answer many questions, each as `ask` does: the answers are the same, bit for bit.

        The questions' vectors are made on all cores, for some dozens of questions at a time; their time is in
        no answer's `timings`. So many questions are taken from the iterable before the first answer comes.
        Where the examples change meanwhile, answers that were given stay, and those that follow are answers of
        the new state.

        Args:
            questions: inputs like those of the examples.
            options: how, for all of them.
            progress: told about each question, stage "ask".
            cancel: set it from any thread, and the model stops within a token.
            named: see `ask`.

        Returns:
            An iterator over one answer a question, in their order. In the place of a question that cannot be
            answered, as it is empty or too long, it gives the InputError that says so, and goes on.

        Raises:
            InputError: an option is not valid; nothing was asked.
            TypeError: there is no option of this name; nothing was asked.
            Exception: what `ask` raises besides, when its question's turn comes. That ends the iterator.
        """
        return many(self._opened, questions, combined(options, named), progress, cancel)

    def stream(
        self,
        question: str,
        options: Options = DEFAULT_OPTIONS,
        *,
        cancel: Cancel | None = None,
        **named: Unpack[OptionFields],
    ) -> Reply:
        """Answer a question piece by piece, as `ask` does.

        Args:
            question: see `ask`.
            options: see `ask`.
            cancel: set it from any thread, and the answer ends before its next token.
            named: see `ask`.

        Returns:
            An iterator over pieces of text. Closing it stops the model; its `answer` is the answer so far. It
            raises StoreClosedError if the store is closed meanwhile, ExamplesChangedError if it is changed.

        Raises:
            AskCancelledError: it was set before the model had been asked.
            InputError: the question is empty or too long, or an option is not valid.
            TypeError: there is no option of this name.
        """
        return stream(self._opened, question, combined(options, named), cancel)

    def embed(self, texts: Iterable[str], *, progress: Progress = silent) -> list[Vector]:
        """Return the vectors of texts, as `export` gives those of examples.

        Args:
            texts: as many as wanted.
            progress: told about each.

        Raises:
            InputError: a text is empty or not valid text.
            ModelMissingError: the encoder is not on this machine.
        """
        from edge_icl.answer.suggesting import embed

        return embed(self._opened, texts, progress)

    def readings(self, texts: Iterable[str], *, progress: Progress = silent) -> list[Reading]:
        """Return how much of texts the store's encoder reads; see `Reading`.

        Args:
            texts: as many as wanted.
            progress: told about texts, stage "read".

        Raises:
            InputError: a text is empty or not valid text.
            ModelMissingError: the encoder is not on this machine.
        """
        return self._opened.readings([normalise(text, "text") for text in each(texts, "texts")], progress)

    def foreign(self) -> Foreign:
        """Return how many inputs, of a sample of 200 at most, are in a language that the encoder does not read.

        That is a guess by scripts and by little words; see `encode.languages`. No model is loaded.
        """
        from edge_icl.answer.legible import foreign

        return foreign(self._opened)

    def suggest(
        self,
        questions: Iterable[str],
        limit: int = 10,
        *,
        vectors: Iterable[Vector | None] | None = None,
        seen: Iterable[Vector] = (),
        progress: Progress = silent,
    ) -> list[Suggestion]:
        """Return the questions whose answers would teach the store most, the most useful first.

        Those about whose answer the examples are in doubt, and which are unlike what was taught and like many
        others. Each choice counts as taught for those after it. A question that is the input of an example is
        left out, as is one that comes again; near copies come last.

        Args:
            questions: without answers; 2,000 take a second. Every two of them are compared.
            limit: how many are wanted.
            vectors: one for each question, as `embed` gives them; None has them made.
            seen: vectors of questions that were passed over: what is like them comes later.
            progress: told about each text that is embedded.

        Raises:
            InputError: a question is empty or not valid text, or a vector is of another kind.
            ValueError: there are not as many vectors as questions.
            ModelMissingError: a vector must be made, and the encoder is not on this machine.
        """
        from edge_icl.answer.suggesting import suggest

        return suggest(self._opened, questions, limit, vectors=vectors, seen=seen, progress=progress)

    def search(self, text: str, *, limit: int = 10) -> list[Held]:
        """Return the examples whose inputs are nearest to a text, the nearest first.

        Args:
            text: an input like those of the examples.
            limit: how many are wanted.

        Raises:
            InputError: the text is empty or not valid text, or the limit is no whole number from 0 on.
            ModelMissingError: the encoder is not on this machine.
        """
        limit = whole(limit, "limit", least=0)
        (vector,) = self._opened.embed([normalise(text, "text")])
        points = self._opened.cache.points
        return self._opened.read(lambda snapshot: nearest(snapshot, points(snapshot), vector, limit))

    def select(
        self, question: str, options: Options = DEFAULT_OPTIONS, **named: Unpack[OptionFields]
    ) -> list[Held]:
        """Return the examples that a prompt for a question would show, in their order there.

        For a program that writes its prompts itself. No language model is loaded. Examples that would not fit
        into a context are among them.

        Args:
            question: an input like those of the examples.
            options: `select` says how they are chosen, `shots` how many. Where `select` is "auto", `labels`
                tells whether they are for a label or for a written answer. Nothing else counts.
            named: see `ask`.

        Returns:
            The examples, each with its similarity to the question; none where the store is empty.

        Raises:
            InputError: the question is empty or not valid text, or an option is not valid.
            TypeError: there is no option of this name.
            ModelMissingError: the encoder is not on this machine.
        """
        from edge_icl.answer.showing import select

        return select(self._opened, question, combined(options, named))

    def find(
        self,
        *,
        match: str | None = None,
        output: str | None = None,
        source: str | None = None,
        tag: str | None = None,
        like: str | None = None,
        min_similarity: float | None = None,
    ) -> list[Held]:
        """Return the examples that fit everything that is given, in the order of their ids.

        Args:
            match: text that the input or the output holds, as a person reads them.
            output: their output.
            source: where they came from.
            tag: a tag that they have.
            like: a text of which their inputs are near copies: what the encoder does not read is compared as
                text, whatever the similarity.
            min_similarity: how similar, from -1 to 1; None for `likeness`.

        Raises:
            InputError: one of the texts is not valid text, or the similarity is no such number, or stands
                without a text.
        """
        filters = Filters(match, output, source, tag)
        least = None if min_similarity is None else number(min_similarity, "min_similarity", least=-1, most=1)
        if like is None:
            if least is not None:
                raise InputError("min_similarity is of use only with a text", "give the text as like=")
            return self._opened.read(lambda snapshot: select(snapshot, filters))
        from edge_icl.search.near_copies import Asked, near_copies

        text = normalise(like, "text")
        asked, likeness = Asked(self._opened.embed([text]), [text]), self._opened.engines.likeness()
        if least is not None:
            likeness = likeness._replace(threshold=least)
        near = self._opened.read(lambda snapshot: near_copies(snapshot, asked, likeness))
        return list(filters.fitting(near))

    def examples(
        self,
        *,
        match: str | None = None,
        output: str | None = None,
        source: str | None = None,
        tag: str | None = None,
    ) -> Iterator[Held]:
        """Return the examples that fit all that is given, or all of them, in the order of their ids.

        They are those of this moment, whatever changes meanwhile. Their ids and texts are in memory until the
        iterator is gone; as objects, which take four times as much, only those that the caller keeps.

        Args:
            match: see `find`.
            output: see `find`.
            source: see `find`.
            tag: see `find`.

        Raises:
            InputError: one of the texts is not valid text.
        """
        return Filters(match, output, source, tag).fitting(every_example(self._opened.read))

    def export(
        self,
        *,
        match: str | None = None,
        output: str | None = None,
        source: str | None = None,
        tag: str | None = None,
    ) -> Iterator[tuple[Held, Vector]]:
        """Return the examples that fit all that is given, or all of them, with their vectors, by their ids.

        They are those of this moment, whatever changes meanwhile. The store's pages stay in memory: the
        vectors and texts, and little else.

        Args:
            match: see `find`.
            output: see `find`.
            source: see `find`.
            tag: see `find`.

        Raises:
            InputError: one of the texts is not valid text.
        """
        fits = Filters(match, output, source, tag).test()
        pages = self._opened.read(lambda snapshot: snapshot.load())
        encoder = self.settings.encoder_digest
        return (
            (one, Vector(encoder, vector.tobytes()))
            for page in pages
            for (id, example), vector in zip(page.examples(), page.vectors, strict=True)
            if fits(one := Held.of(id.hex(), example))
        )

    def outputs(self) -> dict[str, int]:
        """Return each different output and how many examples have it: the most frequent first, then by text."""
        return self._opened.read(outputs)

    def has_output(self, output: str) -> bool:
        """Tell whether an example has this output, to the letter; reads pages until one does.

        Raises:
            InputError: it is not valid text.
        """
        wanted = normalise(output, "output")
        return self._opened.read(lambda snapshot: has_output(snapshot, wanted))

    def contradictions(self, *examples: ExampleForm | Iterable[ExampleForm]) -> list[Held]:
        """Return the examples that have the input of one of these and another output than it has.

        A question with that input is recalled with the output that most of them have. Reads every example.

        Args:
            examples: in the forms that `add_many` takes; several in one list, or each by itself.

        Raises:
            InputError: something is not an example.
        """
        from edge_icl import forms
        from edge_icl.answer.recall import contradictions

        given = forms.one_or_several(examples)
        return self._opened.read(lambda snapshot: contradictions(snapshot, given))

    def labelling(self) -> Labelling:
        """Return whether the outputs are labels, by the store's setting or by what they show, and why."""
        from edge_icl.answer.labels import decide

        return self._opened.read(lambda snapshot: decide(outputs(snapshot), snapshot.manifest.labels))

    def ids(self) -> list[str]:
        """Return the ids of all examples, sorted. No text is read, so it does not matter if one is damaged."""
        return self._opened.read(lambda snapshot: [id.hex() for id in snapshot.ids()])

    def get(self, id: IdForm) -> Held:
        """Return the example whose id begins so, as it is now; also of one that `find` returned before.

        Raises:
            ExampleNotFoundError: no id does.
            AmbiguousIdError: several do.
            InputError: it is no id.
        """
        wanted = self._id(id)
        return self._opened.read(lambda snapshot: held(snapshot, snapshot.resolve(wanted)))

    def short(self, id: IdForm) -> str:
        """Return the shortest beginning of an id, 8 hex digits at least, that no other id has.

        Raises:
            ExampleNotFoundError: no id begins so.
            AmbiguousIdError: several do.
            InputError: it is no id.
        """
        wanted = self._id(id)
        return self._opened.read(lambda snapshot: snapshot.short(snapshot.resolve(wanted)))

    def check(
        self,
        *,
        held_out: Iterable[ExampleForm] | None = None,
        encoder: str | os.PathLike[str] | None = None,
        progress: Progress = silent,
    ) -> Check:
        """Look how good the store is; nothing of it changes, and no language model is asked.

        Each example is left out and judged by all others: that gives the accuracy, the labels that are mixed
        up, and the examples that are possibly mislabelled. Of more than 32,000 examples so many are left out
        that it takes seconds; `tested` says how many. Where the outputs are free text there is no accuracy.

        Args:
            held_out: examples that are not in the store, in the forms that `add_many` takes; these are judged
                instead.
            encoder: name of another encoder, or path of its folder, to see in `other_encoder` whether it is
                better. At most 1,000 examples, the first by id, are embedded with it and judged with both.
            progress: told about examples that are left out ("judge"), those that are embedded ("embed") and
                inputs that are read ("read").

        Raises:
            StoreEmptyError: the store holds no examples.
            InputError: a held-out row is no example, or there is none; or both arguments are given.
            ModelMissingError: an encoder is not on this machine: the other one, or the store's own, which
                held-out rows need.
            ModelFileError: it is not usable, or not an encoder.
            StoreEncoderError: the other encoder is the store's own.
        """
        from edge_icl import forms
        from edge_icl.answer.checking import check

        rows = None if held_out is None else forms.examples(held_out, "held_out")
        return check(self._opened, rows, spelled(encoder), progress)

    def report(self, *, progress: Progress = silent) -> Report:
        """Return a page that shows the store: labels, a map, what `check` finds, and every example.

        The same store with the same name gives the same page. It is a copy outside the store once it is
        written somewhere: forgetting does not reach it. No model is needed; 10,000 examples take seconds.

        Args:
            progress: told about examples that are left out ("judge") and about the map ("map").

        Raises:
            StoreEmptyError: the store holds no examples.
        """
        from edge_icl.report.page import report

        return report(self._opened, progress)

    def verify(
        self,
        *,
        deep: bool = False,
        receipt: Receipt | Replaced | Renamed | Mapping[str, Any] | str | bytes | None = None,
        signed_by: str | None = None,
        progress: Progress = silent,
    ) -> Verification:
        """Check every byte of the store against its manifest.

        Args:
            deep: also rebuild the store from its examples and vectors, and compare every byte.
            receipt: what `forget`, `replace` or `rename_label` returned, also as JSON, or the content of its
                file: are its examples gone, is the store still the one it names? If it is signed, is it what
                was signed, and are its leaves those of the store?
            signed_by: the public key, 64 hex digits, that must have signed it.
            progress: told about each page.

        Raises:
            InputError: this is not a receipt, or not a key.
            NotInstalledError: it is signed, and a package for that is not installed.
        """
        from edge_icl.access.verification import verify
        from edge_icl.results import Receipt, Renamed, Replaced

        opened, key = self._opened, self._opened.store.key
        if isinstance(receipt, Receipt | Replaced | Renamed):
            receipt = (receipt.signed if isinstance(receipt, Receipt) else None) or receipt.as_json()
        with opened.lifetime.at_work():
            return verify(
                self.path,
                deep=deep,
                receipt=receipt,
                signed_by=signed_by,
                progress=opened.lifetime.heeded_by(progress),
                timeout=opened.timeout,
                unlock=no_passphrase if key is None else lambda _: key.data,
            )

    def change_passphrase(self, passphrase: Passphrase) -> None:
        """Give an encrypted store another passphrase; the old one does not open it any more.

        Only the file `key` changes. A copy of the old file, with its passphrase, still opens the store.

        Raises:
            PassphraseError: the store is not encrypted, or the operating system's keyring refuses.
            NotInstalledError: the package keyring is asked for and not installed.
            InputError: the passphrase is empty or not valid text.
            StoreChangedError: another process gave it another passphrase since it was opened, or put another
                store in its place; nothing was changed.
            StoreAccessError: the operating system refused.
        """
        from edge_icl.access.passphrases import change_passphrase

        with self._opened.lifetime.at_work():
            change_passphrase(self._opened.store, passphrase, timeout=self._opened.timeout)

    def _signer(self, *, sign: bool) -> Sign | None:
        """Return what signs a receipt, if one is to be signed."""
        if not sign:
            return None
        from edge_icl.access.receipts import signer_of

        return signer_of(self.settings)

    def _id(self, given: IdForm) -> str:
        """Return the id, or its beginning, of the example that is meant."""
        from edge_icl import forms

        return forms.id_of(given, self.settings.seed)

    @staticmethod
    def _meant(store: Memory | str | os.PathLike[str]) -> OpenStore | Path:
        """Return an open store, or the path of the one that is meant."""
        return store._opened if isinstance(store, Memory) else locate(store)  # noqa: SLF001 - its own class
