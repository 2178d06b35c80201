"""The encoder and the LLM of one open store, loaded when first needed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from edge_icl.errors import StoreEncoderError
from edge_icl.lengths import CONTEXT, Lengths
from edge_icl.models import location

if TYPE_CHECKING:
    from edge_icl.encoder import Encoder
    from edge_icl.llm.model import Model
    from edge_icl.store.settings import Settings


class Engines:
    """What turns texts into vectors and prompts into answers. Safe to use from several threads.

    Args:
        settings: the store's; they name its encoder.
        model: name of an LLM, or path of a GGUF file; None for the default.
        gpu_layers: how many layers the GPU holds; None is all, where llama.cpp was built for one.
        threads: processor threads; None is one for each core that this process may use.

    Attributes:
        lengths: tells whether examples fit into a prompt of the LLM.
    """

    def __init__(
        self, settings: Settings, *, model: str | None, gpu_layers: int | None, threads: int | None
    ) -> None:
        self.lengths = Lengths(model)
        self._settings = settings
        self._wanted = model
        self._gpu_layers = gpu_layers
        self._threads = threads
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None
        self._model: tuple[str, Model] | None = None

    def encoder(self) -> Encoder:
        """Return the encoder that the store was made with.

        Raises:
            ModelMissingError: it is not on this machine.
            StoreEncoderError: the encoder of that name on this machine is another one.
        """
        with self._lock:
            if self._encoder is None:
                from edge_icl.encoder import Encoder  # noqa: PLC0415 - forgetting and listing do without

                found = location.find_encoder(self._settings.encoder)
                if found.digest != self._settings.encoder_digest:
                    raise StoreEncoderError(
                        f"the store was made with encoder {self._settings.encoder} "
                        f"({self._settings.encoder_digest[:12]}) and this machine has {found.name} "
                        f"({found.digest[:12]})",
                        "import the one that the store was made with, or make a new store",
                    )
                self._encoder = Encoder(
                    found.graph,
                    found.tokenizer,
                    dimension=found.dimension,
                    scale=found.scale,
                    max_tokens=found.max_tokens,
                    threads=self._threads,
                )
            return self._encoder

    def model(self) -> tuple[str, Model]:
        """Return the LLM's name and the LLM.

        Raises:
            ModelMissingError: it is not on this machine.
            ModelFileError: it is not a GGUF file, or truncated.
        """
        with self._lock:
            if self._model is None:
                from edge_icl.llm.model import Model  # noqa: PLC0415 - forgetting and listing do without

                found = location.find_llm(self._wanted)
                model = Model.load(
                    found.path,
                    identity=found.digest,
                    context=CONTEXT,
                    gpu_layers=self._gpu_layers,
                    threads=self._threads,
                )
                self._model = (found.name, model)
            return self._model

    def close(self) -> None:
        """Give the memory back."""
        self.lengths.close()
        with self._lock:
            if self._model is not None:
                self._model[1].close()
            self._model = self._encoder = None
