"""What a folder in the sentence-transformers layout says of an encoder, besides its network.

    modules.json                       optional: which steps follow the network
    1_Pooling/config.json              optional: how tokens become one vector
    sentence_bert_config.json          optional: how long a text may be
    config_sentence_transformers.json  optional: texts to put in front of an input, by name

What sentence-transformers would do by default is what is read here. What we cannot do is refused with the
reason: a step that is quietly left out gives vectors that look right and are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_icl.errors import ModelFileError
from edge_icl.models import bert

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_icl.encode.settings import Pooling

MODULES = "modules.json"
POOLING = "1_Pooling/config.json"
LENGTH = "sentence_bert_config.json"
PROMPTS = "config_sentence_transformers.json"

_STEPS = {"Transformer", "Pooling", "Normalize"}
_POOLINGS: Mapping[str, Pooling] = {"mean": "mean", "mean_tokens": "mean", "cls": "first", "cls_token": "first"}
_SHORTEST, _LONGEST = 3, 1 << 17
"""Tokens of a text, with one before and one after it."""

_HINT = "only encoders that take the mean over the tokens, or the first one, can be converted"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the folder says.

    Attributes:
        pooling: how tokens become one vector; None where it does not say, and then it is their mean.
        longest: tokens that the network reads at a time.
        instruction: what is put in front of each input unless another is asked for.
        instructions: name -> text, those that the folder has for various uses.
    """

    pooling: Pooling | None
    longest: int
    instruction: str = ""
    instructions: Mapping[str, str] = field(default_factory=dict)


def read(folder: Path) -> Layout:
    """Read what the folder says.

    Raises:
        ModelFileError: a file cannot be read, or says what cannot be converted.
    """
    _check_steps(folder)
    pooling = _pooling(folder)
    prompts = _optional(folder / PROMPTS)
    instructions = prompts.get("prompts") or {}
    default = prompts.get("default_prompt_name")
    texts = [*instructions.values()] if isinstance(instructions, dict) else [None]
    if not all(isinstance(text, str) for text in texts):
        raise ModelFileError(f"{folder / PROMPTS} has prompts that are not texts", "take another encoder")
    return Layout(pooling, _longest(folder), instructions.get(default, ""), instructions)


def _check_steps(folder: Path) -> None:
    """Refuse steps that the conversion would leave out, such as a dense layer."""
    path = folder / MODULES
    if not path.exists():
        return
    modules = bert.read_json(path, list)
    steps = [str(one.get("type", "") if isinstance(one, dict) else one).rsplit(".", 1)[-1] for one in modules]
    if not set(steps) <= _STEPS:
        raise ModelFileError(f"{path} has the steps {', '.join(steps)}", _HINT)
    lowered = _optional(folder / LENGTH).get("do_lower_case")
    if lowered not in (None, False):
        raise ModelFileError(f"{folder / LENGTH} wants lower case, which its tokenizer must do", _HINT)


def _pooling(folder: Path) -> Pooling | None:
    """Return how tokens become one vector."""
    path = folder / POOLING
    found = _optional(path)
    if not found:
        return None
    named = found.get("pooling_mode")
    modes = [key.removeprefix("pooling_mode_") for key, value in found.items() if value is True]
    modes = [mode for mode in modes if mode != "include_prompt"] + ([named] if isinstance(named, str) else [])
    if len(set(modes)) != 1 or modes[0] not in _POOLINGS:
        raise ModelFileError(f"{path} has {' and '.join(sorted(set(modes))) or 'no pooling'}", _HINT)
    if found.get("include_prompt", True) is not True:
        raise ModelFileError(f"{path} leaves the tokens of the instruction out", _HINT)
    return _POOLINGS[modes[0]]


def _longest(folder: Path) -> int:
    """Return how many tokens the network reads at a time."""
    positions = bert.positions(folder)
    wanted = _optional(folder / LENGTH).get("max_seq_length")
    try:
        longest = min(int(wanted or positions), positions)
    except (OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(f"{folder / LENGTH} has no length: {error}", "take another encoder") from error
    if not _SHORTEST <= longest <= _LONGEST:
        raise ModelFileError(
            f"{folder} gives texts {longest} tokens, which no encoder has", "take another encoder"
        )
    return longest


def _optional(path: Path) -> dict[str, Any]:
    """Read a JSON object; where there is no file, nothing."""
    found: dict[str, Any] = bert.read_json(path) if path.exists() else {}
    return found
