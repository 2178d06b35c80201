r"""Label the rows of a CSV as others are labelled: with a label, its probability, and a mark where to look.

    python examples/label_csv.py --teach labelled.csv --text note --label category rows.csv out.csv

labelled.csv has the columns note and category; rows.csv has the column note. out.csv has all of rows.csv, to
the byte (quotes, spaces, line ends), and after it the columns category, category_probability and
category_check. The last is "?" where the store is not sure, where a text is unlike all that was taught, and
where there is none. Columns may be separated by commas, semicolons or tabs.

It needs edge-icl and nothing else. Without --teach it goes by what the store (--store) was taught before.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import edge_icl

if TYPE_CHECKING:
    from collections.abc import Iterator

SURE = 0.8  # from this probability on a label needs no second look


def records(text: str, separator: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the records of a CSV: each as it stands there, and its cells."""
    lines = []
    noted = (lines.append(line) or line for line in io.StringIO(text, newline=""))
    reader = csv.reader(noted, delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield "".join(lines), cells
            lines.clear()
    except csv.Error as error:
        raise edge_icl.InputError(f"line {reader.line_num} is no CSV: {error}", "correct it") from None


def question(cells: list[str], column: int) -> str:
    """Return the text of a row; none in a row that ends before it."""
    return cells[column] if column < len(cells) else ""


def labelled(memory: edge_icl.Memory, text: str, name: str, label: str) -> str:
    """Return a CSV with three columns more."""
    separator = max(",;\t", key=text.partition("\n")[0].count)
    (first, header), *rows = records(text, separator) if text else [("", [])]
    header = [cell.strip("\ufeff") for cell in header]
    added = [label, f"{label}_probability", f"{label}_check"]
    if name not in header:
        raise edge_icl.InputError(f"there is no column {name}", f"the columns are {', '.join(header)}")
    if there := [one for one in added if one in header]:
        raise edge_icl.InputError(f"there is a column {there[0]} already", "rename it in the file")
    if wide := [raw for raw, cells in rows if len(cells) > len(header)]:
        raise edge_icl.InputError(f"a row has more cells than the header: {wide[0].strip()}", "correct it")
    column = header.index(name)
    answers = memory.ask_many((question(cells, column) for _, cells in rows), labels="on")
    found = [(first, header, added)]
    for (raw, cells), answer in zip(rows, answers, strict=True):
        if isinstance(answer, edge_icl.InputError):  # no text, or too long a one
            more = ["", "", "?" if cells else ""]
        else:
            unsure = answer.probability < SURE or answer.unlike
            more = [answer.text, f"{answer.probability:.3f}", "?" if unsure else ""]
        found.append((raw, cells, more))
    return "".join(line(raw, cells, more, len(header), separator) for raw, cells, more in found)


def line(raw: str, cells: list[str], more: list[str], width: int, separator: str) -> str:
    """Return a record with more cells at its end; an empty line stays as it is."""
    if not cells:
        return raw
    body = raw.removesuffix("\n").removesuffix("\r")
    written = io.StringIO()
    csv.writer(written, delimiter=separator, lineterminator="").writerow(more)
    return body + separator * (width - len(cells) + 1) + written.getvalue() + raw[len(body) :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, help="the CSV to label; it is only read")
    parser.add_argument("out", type=Path, help="the CSV to write")
    parser.add_argument("--teach", metavar="CSV", help="learn from its rows")
    parser.add_argument("--text", default="text", help="the column with the text (text)")
    parser.add_argument("--label", default="label", help="the column with the label (label)")
    parser.add_argument("--store", default="csv", help="its name, or its path (csv)")
    parser.add_argument("--encoding", default="utf-8", help="of the files, such as cp1252 (utf-8)")
    options = parser.parse_args()
    try:
        if options.out.exists():
            raise edge_icl.InputError(f"{options.out} is there already", "choose another name")
        text = options.rows.read_bytes().decode(options.encoding)
        with edge_icl.Memory.open(options.store, create=bool(options.teach)) as memory:
            if options.teach:
                names = {"input_field": options.text, "output_field": options.label}
                memory.add_many(edge_icl.read(options.teach, encoding=options.encoding, **names))
            out = labelled(memory, text, options.text, options.label)
        options.out.write_bytes(out.encode(options.encoding))
    except (UnicodeError, LookupError) as error:
        sys.exit(
            f"label_csv: error: {options.rows} is not in {options.encoding} ({error}); name its --encoding"
        )
    except (edge_icl.EdgeIclError, OSError) as error:
        sys.exit(f"label_csv: error: {error}")


if __name__ == "__main__":
    main()
