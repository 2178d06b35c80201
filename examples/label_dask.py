r"""Label a large table with Dask: one labeler in each worker process, Parquet out, the order of rows kept.

    python examples/label_dask.py --store work --column note rows.parquet labelled

rows.parquet is one file, or a pattern such as 'rows/*.parquet'; CSV works too. The folder labelled gets a part
for each partition, with the columns of edge_icl.batch behind those of the rows: answer, probability,
asked_model, root, encoder, examples, error. `edge-icl stale` finds later which of them a forget has changed.

It needs edge-icl and `pip install "dask[dataframe]"`. Dask reports nothing to anybody; its processes talk
through pipes, so that nothing here opens a socket. A cluster of dask.distributed takes the same map_partitions.
"""

from __future__ import annotations

import argparse
import sys

import dask
import dask.dataframe as dd
import pyarrow as pa

import edge_icl
from edge_icl.batch import Labeler, columns

ROWS = "64MB"  # of a CSV, the size of a partition; of Parquet it is what the file has as row groups


def labelled(frame: dd.DataFrame, label: Labeler) -> dd.DataFrame:
    """Return a frame with the columns of a labelling: what they are is told by a frame without rows."""
    return frame.map_partitions(label, meta=label(frame._meta))  # noqa: SLF001 - Dask's documented name for it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", help="the Parquet or CSV files to label; they are only read")
    parser.add_argument("out", help="the new folder")
    parser.add_argument("--store", default="work", help="its name, or its path (work)")
    parser.add_argument("--column", default="input", help="the column with the text (input)")
    parser.add_argument("--ask-model", default="auto", help="auto, always or never (auto)")
    parser.add_argument("--workers", type=int, help="processes, of one core each (all cores)")
    options = parser.parse_args()
    try:
        label = Labeler(options.store, column=options.column, ask_model=options.ask_model)
        print("root", label.root)  # of the state that all rows are labelled from: pinned here, in this process
        is_csv = options.rows.endswith(".csv")
        frame = dd.read_csv(options.rows, blocksize=ROWS) if is_csv else dd.read_parquet(options.rows)
        schema = columns.schema(pa.Schema.from_pandas(frame._meta, preserve_index=False))  # noqa: SLF001
        with dask.config.set(scheduler="processes", num_workers=options.workers):
            labelled(frame, label).to_parquet(options.out, write_index=False, schema=schema)
    except (edge_icl.EdgeIclError, OSError) as error:
        sys.exit(f"label_dask: error: {error}")


if __name__ == "__main__":
    main()
