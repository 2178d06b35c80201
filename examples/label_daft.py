r"""Label a large table with Daft: one labeler, called with batches of a thousand rows, Parquet out.

    python examples/label_daft.py --store work --column note rows.parquet labelled

rows.parquet is one file, or a pattern such as 'rows/*.parquet'; CSV works too. The folder labelled gets the
rows with the columns of edge_icl.batch behind their own: answer, probability, asked_model, root, encoder,
examples, error. `edge-icl stale` finds later which of them a forget has changed.

It needs edge-icl and `pip install daft`. Daft tells two hosts about each import and each run (versions, system,
processor); the line with DAFT_ANALYTICS_ENABLED, which must come before the import, turns that off. Then
nothing here connects to anything.
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ["DAFT_ANALYTICS_ENABLED"] = "0"

import daft
import pyarrow as pa

import edge_icl
from edge_icl.batch import Labeler, columns

ROWS = 1000  # of a batch
KIND = daft.DataType.from_arrow_type(pa.struct([(name, columns.arrow_type(name)) for name in columns.ADDED]))


@daft.cls
class Label:
    """A labeler, as Daft wants it: made once, and called with a column."""

    def __init__(self, label: Labeler) -> None:
        self.label = label

    @daft.method.batch(return_dtype=KIND, unnest=True, batch_size=ROWS)
    def __call__(self, texts: daft.Series) -> pa.Array:
        rows = self.label({self.label.column: texts.to_pylist()})
        made = [pa.array(rows[name], columns.arrow_type(name)) for name in columns.ADDED]
        return pa.StructArray.from_arrays(made, names=columns.ADDED)


def labelled(frame: daft.DataFrame, label: Labeler) -> daft.DataFrame:
    """Return a frame with the columns of a labelling."""
    return frame.select("*", Label(label)(frame[label.column]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", help="the Parquet or CSV files to label; they are only read")
    parser.add_argument("out", help="the new folder")
    parser.add_argument("--store", default="work", help="its name, or its path (work)")
    parser.add_argument("--column", default="input", help="the column with the text (input)")
    parser.add_argument("--ask-model", default="auto", help="auto, always or never (auto)")
    options = parser.parse_args()
    try:
        given = {"column": options.column, "ask_model": options.ask_model}
        label = Labeler(options.store, threads=None, **given)
        print("root", label.root)  # of the state that all rows are labelled from
        read = daft.read_csv if options.rows.endswith(".csv") else daft.read_parquet
        labelled(read(options.rows), label).write_parquet(options.out)
    except (edge_icl.EdgeIclError, daft.exceptions.DaftCoreException, OSError) as error:
        sys.exit(f"label_daft: error: {error}")


if __name__ == "__main__":
    main()
