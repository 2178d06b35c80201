"""How often the delimiter of a table is found: the figures in docs/faq.md.

    pip install clevercsv==0.8.5
    python benchmarks/dialects.py

Tables of everyday texts with a label each, of 1 to 30 rows, some with a third column of prices (`12,50`), some
with a title above the header, are written with each delimiter, quoted where they must be. The csv module's
sniffer and clevercsv see the text; edge-icl sees it too, and knows the names of the columns that it looks for.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

from support.common import show

from edge_icl.cli.formats.csv import CSV
from edge_icl.cli.formats.format import Columns

LANGUAGES = Path(__file__).parent / "languages"
DELIMITERS = ",;\t|"
ROWS, DRAWN = (1, 3, 10, 30), 5
LABELS = ("travel", "meals", "office", "home")


def table(
    language: str, delimiter: str, rows: int, kind: str, rng: random.Random
) -> tuple[str, list[list[str]]]:
    """Return a table, and its rows."""
    lines = (LANGUAGES / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["input"] for line in rng.choices(lines, k=rows)]
    held = [[text, rng.choice(LABELS), f"{rng.randint(1, 99)},{rng.randint(10, 99)}"] for text in texts]
    names = ["input", "output", "price"]
    if kind == "two columns":
        held, names = [row[:2] for row in held], names[:2]
    text = io.StringIO(newline="")
    text.write("Expenses, as of 31 May; all in EUR\r\n\r\n" if kind == "title" else "")
    csv.writer(text, delimiter=delimiter).writerows([names, *held])
    return text.getvalue(), held


def sniffed(sniffer: Any, text: str) -> list[list[str]]:
    """Return the rows that a guess of the dialect makes of a table, below its header."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sniffer.sniff(text).delimiter))
    except (csv.Error, TypeError, AttributeError):  # it has found none
        return []
    header = next((i for i, row in enumerate(rows) if row[:2] == ["input", "output"]), len(rows))
    return rows[header + 1 :]


def read(text: str, wanted: list[str]) -> list[list[str]]:
    """Return the rows that edge-icl reads."""
    assert CSV.read is not None
    rows = CSV.read(io.StringIO(text, newline=""), "table", Columns(tuple(wanted)))
    return [[row[name] for name in wanted] for row in rows]


def main() -> None:
    import clevercsv

    right, total = Counter[tuple[str, str]](), Counter[str]()
    kinds = ("two columns", "three columns", "title")
    for language, delimiter, rows, kind in product(("de", "fr", "ru", "ja"), DELIMITERS, ROWS, kinds):
        rng = random.Random(f"{language} {delimiter} {rows} {kind}")
        for _ in range(DRAWN):
            text, held = table(language, delimiter, rows, kind, rng)
            wanted = ["input", "output", "price"][: len(held[0])]
            found = {
                "csv.Sniffer": sniffed(csv.Sniffer(), text),
                "clevercsv": sniffed(clevercsv.Sniffer(), text),
                "edge-icl": read(text, wanted),
            }
            total.update([kind, "all"])
            right.update((name, one) for name, rows in found.items() if rows == held for one in (kind, "all"))
    names = dict.fromkeys(name for name, _ in right)
    columns = (*kinds, "all")
    rows_shown: list[tuple[object, ...]] = [
        (name, *(f"{100 * right[name, one] / total[one]:.0f}" for one in columns)) for name in names
    ]
    rows_shown.append(("n", *(total[one] for one in columns)))
    show("Tables read rightly, %", rows_shown, ("reader", *columns))


if __name__ == "__main__":
    main()
