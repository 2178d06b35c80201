"""The encoder and the LLM of an open store, loaded when first needed and shared with this process's others."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge_icl.answer.lengths import Lengths
from edge_icl.errors import ModelError, StoreEncoderError
from edge_icl.llm.engine_options import DEFAULTS, EngineOptions
from edge_icl.runtime import fork
from edge_icl.runtime.progress import Progress, silent
from edge_icl.runtime.shared import Closable, Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from edge_icl.encode.encoder import Encoder
    from edge_icl.llm.model import Model
    from edge_icl.models.installed import InstalledEncoder, InstalledLlm
    from edge_icl.search.near_copies import Likeness
    from edge_icl.store.settings import Settings

T = TypeVar("T", bound=Closable)

_encoders: Shared[Encoder] = Shared()
_models: Shared[Model] = Shared()


class Engines:
    """What turns texts into vectors and prompts into answers. Safe to use from several threads.

    Args:
        settings: the store's; they name its encoder.
        model: name of an LLM, or its path; None for the default.
        encoder: path of the encoder's folder; None where it is found by its name, or by its digest.
        options: how the models are to be run.
        progress: told about what is loaded, from the thread that needs it; what it raises ends the loading.

    Attributes:
        lengths: tells whether examples fit into a prompt of the LLM.
        place: path of the encoder's folder, as given.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        model: str | None = None,
        encoder: str | None = None,
        options: EngineOptions = DEFAULTS,
        progress: Progress = silent,
    ) -> None:
        self.lengths = Lengths(model)
        self._settings = settings
        self.place = encoder
        self._wanted = model
        self._options = options
        self._progress = progress
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None
        self._model: tuple[str, Model] | None = None
        self._borrowed: list[Callable[[], None]] = []
        fork.renewed(self)

    def renew(self) -> None:
        """Begin again in a forked process: what the parent has loaded stays the parent's."""
        fork.leave(self._encoder, self._model)
        self._lock = threading.Lock()
        self._encoder = self._model = None
        self._borrowed = []

    def likeness(self) -> Likeness:
        """Return when two inputs say nearly the same to the store's encoder; nothing is loaded for it.

        Where the encoder is not on this machine, what holds for the default one is returned.
        """
        from edge_icl.models.brief import brief
        from edge_icl.search.near_copies import Likeness
        from edge_icl.search.scripts import Sight

        found = brief(self._settings.encoder, None if self.place is None else Path(self.place))
        return Likeness(Sight(found.languages, found.max_tokens), found.likeness)

    def languages(self) -> tuple[str, ...]:
        """Return codes of the languages that the store's encoder reads well; () where that is not known."""
        from edge_icl.models.location import find_encoder

        try:
            return find_encoder(self.place or self._settings.encoder).languages
        except ModelError:
            return ()

    def of(self, settings: Settings, encoder: str | None) -> Engines:
        """Return those of a store with another encoder, run in the same way; close them, too.

        Args:
            settings: that store's.
            encoder: path of the encoder's folder; None where it is found by its name.
        """
        return Engines(
            settings, model=self._wanted, encoder=encoder, options=self._options, progress=self._progress
        )

    def encoder(self) -> Encoder:
        """Return the encoder that the store was made with.

        Raises:
            ModelMissingError: it is not on this machine.
            ModelFileError: one of its files is not usable, or not what was installed.
            StoreEncoderError: the encoder of that name on this machine is another one.
        """
        with self._lock:
            if self._encoder is None:
                found = self._find_encoder()
                numbers = (self._settings.dimension, self._settings.scale)
                made = found.settings
                if numbers != (made.dimension, made.scale):
                    raise StoreEncoderError(
                        f"the store's vectors are of {numbers[0]} components and scale {numbers[1]}, those of "
                        f"encoder {found.name} of {made.dimension} and {made.scale}",
                        "its settings are not ours; make a new store: edge-icl --store NEW init",
                    )
                shared_as = (found.digest, self._options.threads)
                self._encoder = self._borrow(_encoders, shared_as, lambda: self._load_encoder(found))
            return self._encoder

    def model(self) -> tuple[str, Model]:
        """Return the LLM's name and the LLM.

        Raises:
            ModelMissingError: it is not on this machine.
            ModelFileError: it is not a GGUF file, truncated, or not what was installed.
            ModelComputationError: this machine computes it wrongly.
        """
        with self._lock:
            if self._model is None:
                from edge_icl.models.location import find_llm

                found = find_llm(self._wanted)
                model, give_back = borrow_model(found, self._options, self._progress)
                self._borrowed.append(give_back)
                self._model = (found.name, model)
            return self._model

    def close(self) -> None:
        """Give the memory back, but for what another store uses too."""
        self.lengths.close()
        with self._lock:
            self._model = self._encoder = None
            while self._borrowed:
                self._borrowed.pop()()

    def _find_encoder(self) -> InstalledEncoder:
        """Return where the encoder is that the store was made with."""
        from edge_icl.models.location import find_encoder, find_used

        wanted, digest = self.place or self._settings.encoder, self._settings.encoder_digest
        found = find_used(wanted, digest)
        if found is None:
            here = find_encoder(wanted)
            raise StoreEncoderError(
                f"the store was made with encoder {self._settings.encoder} ({digest[:12]}) "
                f"and this machine has {here.name} ({here.digest[:12]})",
                "import the one that the store was made with, or see `edge-icl reencode --help`",
            )
        return found

    def _borrow(self, shared: Shared[T], name: Hashable, load: Callable[[], T]) -> T:
        """Return what the stores of this process share under this name, to be given back on closing."""
        value = shared.borrow(name, load)
        self._borrowed.append(lambda: shared.give_back(name))
        return value

    def _load_encoder(self, found: InstalledEncoder) -> Encoder:
        """Load the encoder."""
        from edge_icl.encode.encoder import Encoder
        from edge_icl.models.location import assure

        assure(found, progress=self._progress)
        encoder = Encoder(found.networks, threads=self._options.threads)
        size = sum(network.graph.stat().st_size for network in found.networks)
        self._progress(f"load {found.name}", 0, size)
        encoder.load()
        self._progress(f"load {found.name}", size, size)
        return encoder


def borrow_model(
    found: InstalledLlm, options: EngineOptions, progress: Progress = silent
) -> tuple[Model, Callable[[], None]]:
    """Return an LLM that this process shares, and what gives it back; see `Engines.model`.

    It is loaded in the way in which this machine computes it rightly, which is checked the first time.
    """

    def load() -> Model:
        from edge_icl.llm.model import Model
        from edge_icl.models import gguf
        from edge_icl.models.checked import settle

        fit = settle(found, options, progress=progress)
        return Model.load(
            found.path,
            identity=found.digest,
            options=fit.applied(options),
            parts=gguf.parts(found.path)[1:],
            progress=lambda _, done, total: progress(f"load {found.name}", done, total),
        )

    models, shared_as = _models, (found.digest, options)
    return models.borrow(shared_as, load), lambda: models.give_back(shared_as)
