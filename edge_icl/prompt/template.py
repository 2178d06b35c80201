"""Chat templates are programs, and came with a model from anywhere: they run in a process of their own.

    >>> render("{{ messages[0].content }}", end="", messages=[{"role": "user", "content": "Taxi"}])
    'Taxi'

Jinja's sandbox keeps a template from the machine. It does not keep it from taking all time and memory:
`10 ** 10 ** 9`, `"a" * 10 ** 10` and `"%1000000000d" % 1` are single steps that nothing in this process could
stop, and there are many more such. So the child has a limit of processor time and one of memory, set by the
operating system. To start it takes a quarter of a second, once for a template, and only for the chat format.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from edge_icl.errors import ModelError
from edge_icl.runtime import child

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 1 << 18
"""Characters of a template, and of what it renders. The longest in use have some 20,000."""

SECONDS, PATIENCE = 3, 9
"""Seconds of processor time, and of any."""

MEMORY = 1 << 30
"""Bytes of address space, of which Python and Jinja take a tenth."""

_PLAIN = "use the plain format"


def render(template: str, *, end: str, messages: Sequence[dict[str, str]]) -> str:
    """Render a template as transformers does, except for the date, which it does not get.

    Args:
        template: in Jinja.
        end: the model's end token, by its name.
        messages: what is said.

    Raises:
        ModelError: it fails, or takes too much time or memory.
    """
    if len(template) > LONGEST:
        raise ModelError(f"the model's chat template has more than {LONGEST:,} characters", _PLAIN)
    return _kept(json.dumps({"template": template, "end": end, "messages": messages}))


@lru_cache(maxsize=16)
def _kept(asked: str) -> str:
    """Render what was asked for, if it was not lately."""
    command = child.command(__name__)
    told = _answer(**json.loads(asked)) if command is None else _told(command, asked)
    if "error" in told:
        raise ModelError(f"the model's chat template fails: {told['error']}", _PLAIN)
    return told["text"]


def main() -> None:
    """Be the child: read what to render from the standard input, and write the text to the standard output."""
    asked = json.loads(sys.stdin.buffer.readline())
    child.limit(seconds=SECONDS, memory=MEMORY)
    sys.stdout.write(json.dumps(_answer(**asked)))


def _told(command: list[str], asked: str) -> dict[str, str]:
    """Have a child render."""
    try:
        done = subprocess.run(
            command,
            input=f"{json.dumps(child.search_path())}\n{asked}\n".encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child.environment(),
            timeout=PATIENCE,
            check=False,
        )
        return dict(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError):  # no answer: its time was up
        return {"error": "it takes too much time or memory"}
    except OSError as error:
        return {"error": f"no process can be started for it: {error.strerror or error}"}


def _answer(template: str, end: str, messages: list[dict[str, str]]) -> dict[str, str]:
    """Render, and say what came of it."""
    try:
        text = _rendered(template, end, messages)
    except (MemoryError, OverflowError):
        return {"error": "it takes too much time or memory"}
    except RecursionError:
        return {"error": "it nests too deep"}
    except Exception as error:  # noqa: BLE001 - a template is a program, which may raise anything
        lines = str(error).splitlines() or [type(error).__name__]
        return {"error": lines[0][:200]}
    return {"text": text} if len(text) <= LONGEST else {"error": f"it renders {len(text):,} characters"}


def _rendered(template: str, end: str, messages: list[dict[str, str]]) -> str:
    """Render a template in the sandbox."""
    from jinja2 import ext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[ext.loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
    return environment.from_string(template).render(
        messages=messages,
        bos_token="",  # the tokenizer puts it, where the model wants one
        eos_token=end,
        add_generation_prompt=False,
        raise_exception=_raise,
    )


def _raise(message: Any) -> None:
    """Fail, as templates do for messages that they do not take."""
    raise ValueError(message)
