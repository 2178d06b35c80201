"""Formats of files: one module a format, and one table of them all.

    format       what a format is: its name, how it is read, how it is written
    values       what a field says, as text
    layout       what a row of a well-known kind of data set looks like
    lines        what formats share that have a row a line
    documents    the values of a JSON text, of an array or laid out over several lines
    conversation who said what, and what of it is an example
    instructions what layouts with an instruction share
    messages, sharegpt, alpaca, dolly, prompt_completion, prodigy, doccano    one layout each
    pairs        rows with two fields, and which ones they probably are
    layouts      the table of layouts, and which one a row has
    records      rows of a table, and where each begins and ends
    headers      where the header of a table is
    cells        what formats share that have a header, and rows of cells below it
    jsonl, json, csv, tsv, txt, parquet    one format each
    known        what files of questions and answers are called, without loading a format
    table        the table of formats, and which one a file has
    reading      a file of any format, row by row
    how          what the fields of a file of examples are called, and what its rows are taken for
    slices       parts of files that many processes read
    cutting      a file cut into them
    sliced       the rows of one, as Arrow
    examples     the examples of a file: `edge_icl.read`
    asked        the questions of a file
    writing      examples in any format
    answered     rows of questions with their answers, in any format that is written

A new format is one more module with a `Format` or a `Layout` in it, and its name in the table: choices, help
texts, endings, reading and writing follow from there, but for the names in `known`.
"""
