"""Whether examples fit into a prompt, asked before a store is touched: so a long row has its line number."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from edge_icl import prompt
from edge_icl.engines import CONTEXT
from edge_icl.models import location

if TYPE_CHECKING:
    from edge_icl.example import Example
    from edge_icl.llm.vocabulary import Vocabulary


class Lengths:
    """Checks lengths; loads the default model's vocabulary with the first example that may be too long."""

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        from edge_icl.llm.vocabulary import Vocabulary  # noqa: PLC0415 - most files do without

        return Vocabulary.load(location.find_llm().path)

    def check(self, example: Example) -> None:
        """Raise unless a prompt has room for the example.

        Raises:
            InputError: it is too long, with both lengths.
            ModelMissingError: it may be too long, and the model that could tell is not on this machine.
        """
        prompt.check_fits(example, context=CONTEXT, count=lambda text: self._vocabulary.count(text))  # noqa: PLW0108 - loads it late
