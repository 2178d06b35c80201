r"""Label a large table with Spark: one labeler in each Python worker, Arrow in and out, Parquet written.

    python examples/label_spark.py --store work --column note rows.parquet labelled

rows.parquet is one file or a folder of them; CSV works too. The folder labelled gets the rows with the columns
of edge_icl.batch behind their own: answer, probability, asked_model, root, encoder, examples, error. Later
`edge-icl stale` finds which of them a forget has changed.

It needs edge-icl, `pip install pyspark pandas` and Java 17 or newer. Spark reports nothing to anybody. Its
parts talk through sockets: here all of them are on this machine, bound to 127.0.0.1. On a cluster the session
is made otherwise, the store lies at a path that every machine sees, and the rest is the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

import edge_icl
from edge_icl.batch import Labeler, columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import DataFrame

ROWS = 1000  # of a batch

HERE = "127.0.0.1"


def session(workers: str) -> SparkSession:
    """Return a Spark of this machine alone."""
    os.environ |= {"SPARK_LOCAL_IP": HERE, "PYSPARK_PYTHON": sys.executable}
    return (
        SparkSession.builder.master(f"local[{workers}]")
        .config("spark.driver.host", HERE)
        .config("spark.driver.bindAddress", HERE)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", ROWS)
        .getOrCreate()
    )


def labelled(frame: DataFrame, label: Labeler) -> DataFrame:
    """Return a frame with the columns of a labelling."""

    def each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return map(label, batches)

    return frame.mapInArrow(each, from_arrow_schema(columns.schema(to_arrow_schema(frame.schema))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", help="the Parquet or CSV files to label; they are only read")
    parser.add_argument("out", help="the new folder")
    parser.add_argument("--store", default="work", help="its name, or its path (work)")
    parser.add_argument("--column", default="input", help="the column with the text (input)")
    parser.add_argument("--ask-model", default="auto", help="auto, always or never (auto)")
    parser.add_argument("--workers", default="*", help="Python workers, of one core each (* is all cores)")
    options = parser.parse_args()
    try:
        label = Labeler(options.store, column=options.column, ask_model=options.ask_model)
        print("root", label.root)  # of the state that all rows are labelled from: pinned here, in the driver
        with session(options.workers) as spark:
            read = (
                spark.read.option("header", True).csv if options.rows.endswith(".csv") else spark.read.parquet
            )
            labelled(read(options.rows), label).write.parquet(options.out)
    except (edge_icl.EdgeIclError, PySparkException, OSError) as error:
        sys.exit(f"label_spark: error: {error}")


if __name__ == "__main__":
    main()
