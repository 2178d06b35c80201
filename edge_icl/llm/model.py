"""A GGUF model: its vocabulary, its weights and one window to evaluate in.

    >>> with Model.load(path, identity=digest) as model:
    ...     model.backend, model.context, model.threads
    ('CPU', 4096, 2)

A model may be shared by threads and by stores: each evaluation waits for those before it.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from edge_icl.errors import ModelError, ModelFileError, ModelForkedError
from edge_icl.llm.context import BATCH, SEQUENCES, UNFIT, Context
from edge_icl.llm.engine_options import DEFAULTS, EngineOptions
from edge_icl.llm.mapped import Mapped
from edge_icl.llm.native import SPAWN, llama, variant
from edge_icl.llm.scheduling import Scheduler
from edge_icl.llm.vocabulary import Vocabulary, load_file
from edge_icl.llm.window import Window
from edge_icl.prompt.chat import Chat
from edge_icl.runtime.cores import usable_cores
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edge_icl.runtime.cancel import Cancel


_NO_POOLING, _RANK = "0", "4"  # llama.cpp's numbers, as the header of a file has them


class Model:
    """Weights and a window. Make one with `load`; close it, or use it in a `with` statement.

    Attributes:
        identity: what names the weights, such as the digest of the file.
        vocabulary: text to tokens and back.
        window: the context; use it with `lock` held.
        lock: held for every evaluation, and never between two pieces of an answer.
        threads: processor threads at work.
        gpu_layers: layers that the GPU holds, 0 without one.
        extra_buffers: whether llama.cpp may repack weights for its fastest kernels.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        identity: str,
        options: EngineOptions,
        files: Sequence[Path] = (),
    ) -> None:
        self.identity = identity
        self.vocabulary = vocabulary
        self.threads = usable_cores() if options.threads is None else options.threads
        self.gpu_layers = _layers_on_gpu(vocabulary, options)
        self.extra_buffers = options.extra_buffers
        self.lock = Scheduler()
        self._process = os.getpid()
        self._mapped = Mapped(files)
        self.window = Window(
            Context(
                vocabulary.model,
                vocabulary.size,
                size=min(options.context, int(llama().llama_model_n_ctx_train(vocabulary.model))),
                threads=self.threads,
                gpu=self.gpu_layers > 0,
            )
        )

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        identity: str,
        options: EngineOptions = DEFAULTS,
        parts: Sequence[Path] = (),
        progress: Progress = silent,
    ) -> Self:
        """Load a GGUF file and make its window.

        Args:
            path: the file.
            identity: what names these weights and no others; states of prefixes are kept under it.
            options: how it is to be run.
            parts: its other files, where it comes in several.
            progress: called from this thread, stage "load", in bytes; what it raises ends the loading.

        Raises:
            InputError: a number is out of range.
            ModelMissingError: there is no such file.
            ModelFileError: llama.cpp refuses it, or it is not a plain generative transformer.
            ModelError: llama.cpp is not installed, or the context does not fit in memory.
        """
        options.check()
        vocabulary = Vocabulary(load_file(path, options, progress=progress))
        try:
            _refuse_unfit(path, vocabulary)
            return cls(vocabulary, identity=identity, options=options, files=(path, *parts))
        except BaseException:
            vocabulary.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back, once an evaluation under way has ended. Calling it again does nothing."""
        with self.lock:
            self.window.close()
            self.vocabulary.close()
            self._mapped.close()

    @contextmanager
    def evaluating(self, cancel: Cancel | None = None) -> Iterator[Window]:
        """Hold the lock and give the window, in which `cancel` stops every evaluation.

        Raises:
            AskCancelledError: it was set, while the thread waited or during an evaluation.
            ModelFileError: its file was written into meanwhile.
            ModelForkedError: it was loaded in the process that this one was forked from.
        """
        if self._process != os.getpid():  # asked first: a thread of the parent may hold the lock
            raise ModelForkedError("the model belongs to the process that this one was forked from", SPAWN)
        with self.lock.acquired(cancel):
            self._mapped.check()
            self.window.context.stop_with(cancel)
            try:
                yield self.window
            finally:
                self.window.context.stop_with(None)

    @property
    def context(self) -> int:
        """Most tokens of prompt and answer together."""
        return self.window.context.size

    @property
    def name(self) -> str:
        """What the GGUF file calls its model."""
        return self.vocabulary.metadata("general.name")

    @property
    def system(self) -> str:
        """llama.cpp's own line on its backends and the processor features that it was built for."""
        return str(llama().llama_print_system_info().decode()).strip(" |")

    @property
    def backend(self) -> str:
        """The backends of this llama.cpp, such as "CPU" or "CUDA, CPU"."""
        return ", ".join(re.findall(r"(\w+) : ", self.system))

    def tokenize(self, text: str, *, start: bool = False) -> list[int]:
        """Return the tokens of `text`; `start` puts the model's start token, if any, before them."""
        return self.vocabulary.tokenize(text, start=start)

    def count(self, text: str) -> int:
        """Return how many tokens `text` has."""
        return self.vocabulary.count(text)

    def chat(self, task: str = "") -> Chat:
        """Return the model's chat template as a format for prompts, with a task in it.

        Raises:
            ModelError: the file has none, or one that cannot show examples.
        """
        template = self.vocabulary.template
        if not template:
            raise ModelError("the model has no chat template", "use the plain format")
        return Chat.read(template, end=self.vocabulary.end_name, task=task)

    def fingerprint(self) -> bytes:
        """Return bytes that differ wherever the state of one and the same prefix may differ."""
        library = llama()
        version = [library.__version__, library.llama_version().decode(), self.system]
        # Appended only where it differs from what it always was: states that were kept before are still good.
        settings: list[object] = [self.context, self.threads, self.gpu_layers, BATCH, SEQUENCES]
        if self.window.context.sliding:
            settings.append("whole")  # versions before kept what the sliding window shows
        if not self.extra_buffers:
            settings.append("plain buffers")
        if name := variant():  # what it was built for does not tell: a build for one processor may say the same
            settings.append(f"variant {name}")
        return json.dumps([self.identity, version, settings]).encode()


def _layers_on_gpu(vocabulary: Vocabulary, options: EngineOptions) -> int:
    """Return how many layers of a loaded model the GPU holds; the output layer counts as one."""
    library = llama()
    if not library.llama_supports_gpu_offload():
        return 0
    layers = int(library.llama_model_n_layer(vocabulary.model)) + 1
    return layers if options.gpu_layers is None else min(options.gpu_layers, layers)


def _refuse_unfit(path: Path, vocabulary: Vocabulary) -> None:
    """Raise where a prompt's cells cannot be cut back and shared, as `Window` does, or nothing follows them."""
    library, model = llama(), vocabulary.model
    architecture = vocabulary.metadata("general.architecture")
    pooling = vocabulary.metadata(f"{architecture}.pooling_type")
    trained = library.llama_model_n_ctx_train(model)
    kinds = {
        "an encoder": not library.llama_model_has_decoder(model),
        "an encoder-decoder model": library.llama_model_has_encoder(model),
        "a recurrent model": library.llama_model_is_recurrent(model) or library.llama_model_is_hybrid(model),
        "a diffusion model": library.llama_model_is_diffusion(model),
        "a reranker": pooling == _RANK,
        "an embedding model": pooling not in {"", _NO_POOLING, _RANK},
        "an encoder: its tokens see those that follow": (
            vocabulary.metadata(f"{architecture}.attention.causal") == "false"
        ),
        f"a model for {trained} tokens": trained < 1,
    }
    for kind, found in kinds.items():
        if found:
            raise ModelFileError(f"{path} is {kind}", UNFIT)
