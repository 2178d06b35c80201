r"""How bash, zsh and fish ask what completes a line, and how an answer is written for them.

A tag may come from another user's file. `2026;touch${IFS}x;#` must end up in the command line as that one word,
so that an answer is not the value but how the shell spells it:

    >>> Typed.read("edge-icl forget --tag 20").bash("26;touch${IFS}x;#")
    "26\\;touch'$'\\{IFS\\}x\\;\\#"

What was typed stays as it was typed, in whatever quotes, and the rest is added. bash puts an answer into the
line as it is, so that it is quoted here; zsh and fish quote by themselves, as what was typed needs it, and get
the value as it is. No value has a line break or a tab in it: see `offerable`.
"""

from __future__ import annotations

import locale
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from edge_icl.cli import tables

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LINE, WORD = "EDGE_ICL_LINE", "EDGE_ICL_WORD"
"""Environment variables: the command up to the cursor; its end, which bash replaces by an answer."""

_READ = r"""
    (?P<white>\s+)
    | '(?P<single>%(single)s*)' | '(?P<in_single>%(single)s*)\Z
    | "(?P<double>(?:\\.|[^"\\])*)" | "(?P<in_double>(?:\\.|[^"\\])*)\Z
    | \\(?P<escaped>.) | (?P<pending>\\\Z)
    | (?P<bare>[^\s'"\\]+)
    | (?P<lost>.)
"""
_BASH = re.compile(_READ % {"single": "[^']"}, re.VERBOSE | re.DOTALL)
_FISH = re.compile(_READ % {"single": r"(?:\\.|[^'\\])"}, re.VERBOSE | re.DOTALL)
"""The parts of a command. In fish a backslash is one in single quotes, too."""

_ENDS = {"in_single": "'", "in_double": '"', "pending": "\\"}

_HARMLESS = frozenset("_-./,+@%:")
"""Characters, beside letters and digits, that mean nothing to bash within a word."""

_BARE = {"$": "'$'", "\\": r"'\'", '"': "'\"'", "`": r"$'\x60'"}
"""What a backslash does not protect from within backquotes, and how bash reads it there as well."""


class Typed(NamedTuple):
    """A command up to the cursor, as a shell reads it.

    Attributes:
        words: the complete ones, without their quotes.
        last: the word at the cursor, without its quotes; None where only the shell knows what it will be.
        end: in which quotes the cursor is, or after a backslash; else empty.
    """

    words: list[str]
    last: str | None
    end: str

    @classmethod
    def read(cls, line: str, *, fish: bool = False) -> Typed:
        """Read a command as it was typed; a quote that is still open is no mistake."""
        words: list[str] = []
        last, started, known, kind = "", False, True, ""
        for part in (_FISH if fish else _BASH).finditer(line):
            kind = part.lastgroup or ""
            if kind == "white":
                words += [last] if started else []
                last, started, known = "", False, True
                continue
            started = True
            last += _value(kind, part[kind], fish=fish)
            known &= kind != "lost" and not _replaced(kind, part[kind])
        return cls(words, last if known else None, _ENDS.get(kind, ""))

    @property
    def value(self) -> str:
        """What is to be completed: the word, or in `--tag=20` what follows the option."""
        word = self.last or ""
        return word.partition("=")[2] if word.startswith("-") and "=" in word else word

    def bash(self, rest: str) -> str | None:
        """Return how bash spells what follows the cursor; None where it cannot be done."""
        if self.end == "\\":
            return None if not rest or rest[0] in _BARE else rest[0] + "".join(map(_bare, rest[1:]))
        if self.end == "'":
            return "".join(f"'{_bare(c)}'" if c in "'`\\" else c for c in rest) + "'"
        if self.end == '"':
            return "".join(f'"{_bare(c)}"' if c in _BARE or c == "!" else c for c in rest) + '"'
        return "".join(map(_bare, rest))


class _Asked(ShellComplete):
    """A shell that tells the command up to the cursor; an answer is a line: its kind, a comma, itself."""

    fish = False

    def complete(self) -> str:
        """Return the answers."""
        typed = Typed.read(os.environ.get(LINE, ""), fish=self.fish)
        if typed.last is None or not typed.words:
            return ""
        items = self.get_completions(typed.words[1:], typed.last)
        answers = [
            (item.type, self.answer(typed, item)) for item in items if item.value.startswith(typed.value)
        ]
        return "\n".join(f"{kind},{answer}" for kind, answer in answers if answer is not None)

    def answer(self, typed: Typed, item: CompletionItem[str]) -> str | None:
        """Return what the shell's script makes of an item; None for nothing."""
        raise NotImplementedError


class Bash(_Asked, BashComplete):
    """bash, which replaces the end of the line, from the last character that separates words, by an answer."""

    source_template = """\
%(complete_func)s() {
    local answer answers
    answers=$(env EDGE_ICL_LINE="${COMP_LINE:0:COMP_POINT}" EDGE_ICL_WORD="$2" \
%(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    while IFS= read -r answer; do
        case $answer in
            dir,*) compopt -o dirnames ;;
            file,*) compopt -o default ;;
            plain,*) COMPREPLY+=("${answer#plain,}") ;;
        esac
    done <<< "$answers"
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def answer(self, typed: Typed, item: CompletionItem[str]) -> str | None:
        """Return an item as bash spells it."""
        word, rest = os.environ.get(WORD, ""), typed.bash(item.value[len(typed.value) :])
        if rest is None:
            return None
        if not word and typed.end and rest.startswith(typed.end):
            word = typed.end  # readline takes a quote that an answer begins with for the one before it
        return word + rest


class Zsh(_Asked, ZshComplete):
    """zsh, which replaces a word, or what follows an option's equals sign, and quotes the answer for it."""

    source_template = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local line answer
    local -a values shown
    (( $+commands[%(prog_name)s] )) || return 1
    line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$IPREFIX$PREFIX"
    compset -P 1 '--*='
    for answer in "${(@f)$(env EDGE_ICL_LINE="$line" %(complete_var)s=zsh_complete %(prog_name)s)}"; do
        case $answer in
            dir,*) _path_files -/ ;;
            file,*) _path_files -f ;;
            plain,*)
                answer=${answer#plain,}
                values+=("${answer%%%%$'\\t'*}")
                shown+=("${answer/$'\\t'/  }") ;;
        esac
    done
    (( $#values )) && compadd -V unsorted -l -d shown -a values
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

    def answer(self, typed: Typed, item: CompletionItem[str]) -> str | None:
        """Return an item and what is told about it."""
        return _told(item.value, item)


class Fish(_Asked, FishComplete):
    """fish, which replaces the whole word, and quotes the answer for it."""

    fish = True
    source_template = """\
function %(complete_func)s
    set -l answers (env EDGE_ICL_LINE=(commandline -cp | string collect) \
%(complete_var)s=fish_complete %(prog_name)s)
    for answer in $answers
        set -l parts (string split -m 1 "," -- $answer)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo -- $parts[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""

    def answer(self, typed: Typed, item: CompletionItem[str]) -> str | None:
        """Return the whole word with an item, and what is told about it."""
        word = (typed.last or "").removesuffix(typed.value) + item.value
        return None if word.startswith("~") else _told(word, item)  # fish would leave the tilde bare


SHELLS: dict[str, type[_Asked]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}
for _shell in SHELLS.values():
    add_completion_class(_shell)


def offerable(value: str) -> bool:
    """Tell whether a value that may come from another user can be put into a command line.

    Not one that a program takes for an option, whatever its quotes; nor one with characters that a terminal
    obeys or hides, since the user would not see what is sent. Where the locale is not UTF-8 the shell may read
    half of a character together with the backslash after it, so that only ASCII is safe.
    """
    if value.startswith("-") or "\n" in value or "\t" in value or tables.printable(value) != value:
        return False
    return value.isascii() or locale.getencoding().lower() in {"utf-8", "utf8"}


def _told(value: str, item: CompletionItem[str]) -> str:
    """Return a value and, after a tab, what is told about it."""
    return f"{value}\t{item.help}" if item.help else value


def _value(kind: str, text: str, *, fish: bool) -> str:
    """Return what a part of a command stands for."""
    if kind.endswith("double"):
        return re.sub(r'\\([$"\\])' if fish else r'\\([$`"\\])', r"\1", text)
    if kind.endswith("single") and fish:
        return re.sub(r"\\(['\\])", r"\1", text)
    return "" if kind == "pending" else text


def _replaced(kind: str, text: str) -> bool:
    """Tell whether a shell puts something else in the place of a part of a command."""
    if kind.endswith("double"):
        text = re.sub(r"\\.", "", text, flags=re.DOTALL)
        return "$" in text or "`" in text
    return kind == "bare" and any(c in text for c in "$`(")


def _bare(character: str) -> str:
    """Return how bash spells a character outside of quotes; what is not ASCII means nothing to it."""
    if character.isalnum() or character in _HARMLESS or not character.isascii():
        return character
    return _BARE.get(character) or f"\\{character}"
