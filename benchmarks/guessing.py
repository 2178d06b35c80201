"""How often the encoding of a few rows is named rightly: the figures in docs/faq.md.

    pip install charset-normalizer==3.5.3 faust-cchardet==3.2.0
    python benchmarks/guessing.py

Of each language, encoding and size tables are made of everyday texts: 1, 3, 10 or 30 rows, of whole sentences
or of two words each. They are given to chardet, charset-normalizer, faust-cchardet and to edge-icl's own guess,
which chooses among what chardet says. A guess is right if it gives back the same text, whatever it is called.
"names" are words from several languages in each table, as in expenses and addresses.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from support.common import show

from edge_icl.cli import encodings

LANGUAGES, WORDS = (Path(__file__).parent / name for name in ("languages", "words"))
WESTERN = ("cp1252", "iso8859_1", "iso8859_15", "mac_roman")
ENCODINGS = {
    "de": WESTERN,
    "fr": WESTERN,
    "es": WESTERN,
    "names": WESTERN[:3],
    "pl": ("cp1250", "iso8859_2"),
    "cs": ("cp1250", "iso8859_2"),
    "el": ("cp1253", "iso8859_7"),
    "ru": ("cp1251", "koi8_r", "cp866"),
    "tr": ("cp1254", "iso8859_9"),
    "ja": ("shift_jis", "euc_jp"),
    "zh": ("gb18030", "big5"),
}
WITHOUT_SPACES = {"ja", "zh"}
ROWS, DRAWN = (1, 3, 10, 30), 15
LABELS = ("travel", "meals", "office", "home")
LIBRARIES = ("chardet", "charset_normalizer", "cchardet", "edge-icl")


def texts(language: str) -> list[str]:
    """Return everyday texts in a language."""
    plain = WORDS / f"{language}.txt"
    if plain.exists():
        return plain.read_text(encoding="utf-8").splitlines()
    rows = (LANGUAGES / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row)["input"] for row in rows]


def fits(text: str, encoding: str) -> bool:
    """Tell whether a text is worth a guess in an encoding."""
    try:
        return not text.encode(encoding).isascii()
    except UnicodeEncodeError:
        return False


def words(text: str, rng: random.Random) -> str:
    """Return two words of a text, of which one at least is not ASCII."""
    parts = text.split()
    at = rng.choice([i for i, part in enumerate(parts) if not part.isascii()])
    begin = max(at - rng.randint(0, 1), 0)
    return " ".join(parts[begin : begin + 2])


def guess(library: str, data: bytes) -> str | None:
    """Return what a library takes the encoding for."""
    if library == "edge-icl":
        return encodings.guess(data)
    module: Any = import_module(library)
    if library == "charset_normalizer":
        best = module.from_bytes(data).best()
        return None if best is None else best.encoding
    return module.detect(data)["encoding"]


def is_right(name: str | None, data: bytes, text: str) -> bool:
    """Tell whether an encoding gives back the text."""
    try:
        return name is not None and data.decode(name) == text
    except (LookupError, UnicodeDecodeError):
        return False


def drawn(language: str, encoding: str, *, short: bool) -> list[tuple[int, str]]:
    """Return texts of tables, each with how many rows it has."""
    rng = random.Random(f"{language} {encoding} {short}")
    some = [text for text in texts(language) if fits(text, encoding)]
    found = []
    for rows in ROWS:
        for _ in range(DRAWN):
            lines = [words(text, rng) if short else text for text in rng.choices(some, k=rows)]
            found.append((rows, "".join(f"{line};{rng.choice(LABELS)}\n" for line in lines)))
    return found


def main() -> None:
    found, total = Counter[tuple[str, str | int]](), Counter[str | int]()
    for language, names in ENCODINGS.items():
        for encoding in names:
            for short in (False,) if language in WITHOUT_SPACES else (False, True):
                for rows, text in drawn(language, encoding, short=short):
                    data = text.encode(encoding)
                    kinds = (language, rows, "two words" if short else "sentences", "all")
                    total.update(kinds)
                    for library in LIBRARIES:
                        if is_right(guess(library, data), data, text):
                            found.update((library, kind) for kind in kinds)
    kinds = [*ENCODINGS, *ROWS, "sentences", "two words", "all"]
    shares = [[f"{100 * found[library, kind] / total[kind]:.0f}" for kind in kinds] for library in LIBRARIES]
    table: list[tuple[object, ...]] = [(name, *row) for name, row in zip(LIBRARIES, shares, strict=True)]
    table.append(("n", *(total[kind] for kind in kinds)))
    show("Encodings named rightly, %", table, ("library", *map(str, kinds)))


if __name__ == "__main__":
    main()
