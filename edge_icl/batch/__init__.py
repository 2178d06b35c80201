"""Labels for tables of any engine: pyarrow, Ray Data, Dask, Spark, Daft, or none; see docs/fleet.md.

    >>> label = Labeler("work", ask_model="never")
    >>> label({"input": ["Taxi downtown"]})["answer"]
    ['travel']

Read in this order:

    columns   the columns that are added to a table
    rows      what an engine gives: tables of its kind, to read a column of and to add columns to
    canaries  what every machine of a fleet must compute alike, as digests
    machine   Machine: what a process computes, and how it differs from another
    process   what a process has loaded, once, however many labelers there are
    labeler   Labeler: a store that is only read, in one state, and the options
    stale     which rows of an earlier run would be labelled otherwise now
"""

from edge_icl.batch.labeler import Labeler
from edge_icl.batch.machine import Machine
from edge_icl.batch.rows import unlabelled
from edge_icl.batch.stale import Stale, StaleRow, stale

__all__ = ["Labeler", "Machine", "Stale", "StaleRow", "stale", "unlabelled"]
