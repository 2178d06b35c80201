"""Formats of files: one module a format, and one table of them all.

    format       what a format is: its name, how it is read, how it is written
    lines        what formats share that have a row a line
    records      rows of a table, and where each begins and ends
    headers      where the header of a table is
    cells        what formats share that have a header, and rows of cells below it
    messages     conversations in the OpenAI messages format
    jsonl, csv, tsv, txt    one format each
    table        the table, and which format a file has
    reading      a file of any format, row by row
    answered     rows of questions with their answers, in any format that is written

A new format is one more module with a `Format` in it, and its name in the table: choices, help texts, endings,
reading and writing follow from there.
"""
