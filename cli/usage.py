"""Wrong usage: what was probably meant, as a command to type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from edge_icl.cli.commandline import OPTION, Line, apart
from edge_icl.cli.output import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OTHERS = {
    "delete": "forget",
    "find": "search",
    "ls": "list",
    "query": "ask",
    "remove": "forget",
    "rm": "forget",
    "teach": "add",
    "train": "add",
    "undo": "forget",
    "unlearn": "forget",
}
"""What other programs call a command -> its name here."""

KINDS = {"integer": "a whole number", "float": "a number"}
"""What click calls the type of a value -> what it is called here."""

TEXTS: set[str | None] = {"texts", "question", "text", "output"}
"""Arguments that are texts, in which anything may stand."""


class Advised(click.UsageError):
    """Wrong usage, told with what to type instead; of any other the command's help is named."""

    def __init__(self, message: str, hint: str, ctx: click.Context | None = None) -> None:
        super().__init__(f"{message}; {hint}", ctx)


def told(error: click.UsageError, words: Sequence[str]) -> str:
    """Return in a sentence what was wrong with a command line, and what to type instead.

    Args:
        error: what click, or a command, says of it.
        words: what was typed after the program's name.
    """
    if isinstance(error, Advised):
        return error.message
    if isinstance(error, click.NoSuchOption):
        typed = next((one for one in words if _is_about(one, error.option_name)), error.option_name)
        message = f"there is no option {error.option_name}"
        if not re.fullmatch(OPTION, typed):
            message = f"{typed} begins with a dash, as an option does"
        return f"{message}; {_option(error, typed, words)}"
    message = " ".join(error.format_message().split()).rstrip(".")
    message = re.sub(r"not a valid (integer|float)( range)?\b", lambda kind: f"not {KINDS[kind[1]]}", message)
    return f"{message[:1].lower()}{message[1:]}; {_hint(error, words)}"


def no_command(ctx: click.Context, args: Sequence[str], known: Iterable[str], words: Sequence[str]) -> Advised:
    """Return what is told of a command that there is not.

    Args:
        ctx: of the program, or of a command that has commands of its own.
        args: the unknown command, and what follows it.
        known: the commands that there are.
        words: all that was typed after the program's name.
    """
    word, *others = args
    begin = words[: len(words) - len(args)]
    outer = ctx.command_path.removeprefix(PROGRAM)
    message, lists = f"there is no command{outer} {word}", f"`{ctx.command_path} --help` lists the commands"
    if word == "help":
        return Advised(message, f"did you mean: {Line((*begin, *others, '--help'))}", ctx)
    known = list(known)
    near = OTHERS.get(word) if OTHERS.get(word) in known else alike(word, known)
    if near is not None:
        return Advised(message, f"did you mean {near}: {Line((*begin, near, *others))}", ctx)
    if ctx.parent is None and not any(one.startswith("-") for one in others):
        question = Line((*begin, "ask"), (" ".join(args),))
        return Advised(message, f"{lists}; to ask a question: {question}", ctx)
    return Advised(message, lists, ctx)


def too_many(ctx: click.Context, words: Sequence[str]) -> Advised:
    """Return what is told of more texts than a command takes.

    Args:
        ctx: of the command.
        words: what was typed after the program's name.
    """
    taken = [one for one in ctx.command.params if one.param_type_name == "argument"]
    line = apart(ctx, words)
    given = line.texts
    if not taken:
        message = f"{ctx.info_name} takes no text, and {given[0]} is one"
        return Advised(message, f"leave it out: {line.given()}", ctx)
    name = taken[-1].human_readable_name.strip("[]")
    rest = given[len(taken) - 1 :]
    if taken[-1].name in TEXTS:
        message = f"the {name} is one text, and {len(rest)} came"
        return Advised(message, f"quote it: {quoted(line, ctx.command)}", ctx)
    return Advised(
        f"there is one {name} too many, {rest[1]}",
        f"give one at a time: {line.given(*given[: len(taken)])}",
        ctx,
    )


def quoted(line: Line, command: click.Command) -> Line:
    """Return a command line with as many texts as the command takes: words that belong together are one."""
    texts = line.texts
    taken = [one for one in command.params if one.param_type_name == "argument"]
    if taken and taken[-1].nargs == -1:  # an input and an output
        *words, output = texts if len(texts) > 1 else (*texts, "OUTPUT")
        return line.given(" ".join(words), output)
    first = len(taken) - 1
    return line.given(*texts[:first], " ".join(texts[first:])) if texts[first:] else line


def alike(word: str, known: Iterable[str]) -> str | None:
    """Return which of some names was probably meant by a word; None if it is like none."""
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    return next((names[one] for one in get_close_matches(word.lower(), names, n=1)), None)


def _hint(error: click.UsageError, words: Sequence[str]) -> str:
    """Return what to do about wrong usage that click has found."""
    if error.ctx is None:
        return f"see {PROGRAM} --help"
    param = error.param if isinstance(error, click.BadParameter) else None
    if isinstance(error, click.MissingParameter) and param is not None and param.name in {"id", "ids"}:
        return f"`{error.ctx.find_root().obj.command_line('list')}` shows the ids"
    if param is not None and isinstance(param.type, click.Choice):
        return _choice(param, [str(one) for one in param.type.choices], error.ctx, words)
    return f"see {error.ctx.command_path} --help"


def _option(error: click.NoSuchOption, typed: str, words: Sequence[str]) -> str:
    """Return what to do about an option that there is not: a slip, or a text with a dash in front."""
    name, ctx, is_option = error.option_name, error.ctx, re.fullmatch(OPTION, typed)
    if ctx is None:
        return f"see {PROGRAM} --help"
    place = list(words).index(typed) if typed in words else len(words)
    known = {option.lstrip("-"): option for param in ctx.command.get_params(ctx) for option in param.opts}
    near = known.get(alike(name.lstrip("-"), known) or "")
    if is_option and near:
        return f"did you mean {near}: {_put(words, place, near + typed.removeprefix(name))}"
    arguments = {one.name for one in ctx.command.params if one.param_type_name == "argument"}
    # A file takes the place of texts.
    of_a_file = "file" in known and any(_is_about(one, "--file") for one in words)
    if arguments & TEXTS and not of_a_file:
        line = quoted(apart(ctx, words, text=typed), ctx.command)
        return f"a text that begins with a dash goes after --: {line}"
    if ctx.parent is None and not is_option:
        return f"to ask a question: {Line((*words[:place], 'ask'), (' '.join(words[place:]),))}"
    if ctx.command.name == "forget" and not is_option:
        return f"to forget by a text: {Line((*apart(ctx, words).words, '--match', typed))}"
    return f"see {ctx.command_path} --help"


def _is_about(word: str, option: str) -> bool:
    """Tell whether click has read a word as this option: whole, with a value, or as one letter of several."""
    if option.startswith("--") or word.startswith("--"):
        return word.partition("=")[0] == option
    return word.startswith("-") and option.removeprefix("-") in word


def _choice(param: click.Parameter, choices: Sequence[str], ctx: click.Context, words: Sequence[str]) -> str:
    """Return what to do about a value that is none of some: which of them it is like."""
    texts = apart(ctx, words).texts if param.param_type_name == "argument" else ()
    for place, typed in enumerate(words):
        option, sign, value = typed.partition("=")
        if sign and option in param.opts:
            begin = option + sign
        elif typed in texts or (place and words[place - 1] in param.opts):
            begin, value = "", typed
        else:
            continue
        if (near := alike(value, choices)) is not None:
            return f"did you mean {near}: {_put(words, place, begin + near)}"
    return f"see {ctx.command_path} --help"


def _put(words: Sequence[str], place: int, meant: str) -> Line:
    """Return a command line with another word in a place."""
    return Line((*words[:place], meant, *words[place + 1 :]))
