"""What the library returns: frozen dataclasses, each with the JSON that the command line prints.

May import: errors, runtime, display, example. Read in this order:

    held     examples as a store returns them
    answer   what was found for a question
    changed  what a change did
    merged   what a merge did, or would do
    report   a page that shows a store

All names are here too: `from edge_icl.results import Answer`.
"""

from typing import TYPE_CHECKING

from edge_icl.runtime import late

if TYPE_CHECKING:
    from edge_icl.results.answer import MOST_LIKELY, Answer, AnswerKind, Labelling, Suggestion
    from edge_icl.results.changed import RECEIPT, Added, Receipt, Reencoded, Renamed, Replaced
    from edge_icl.results.held import Held, Near
    from edge_icl.results.merged import Merged, MergedStore
    from edge_icl.results.report import Report

__all__ = [
    "MOST_LIKELY",
    "RECEIPT",
    "Added",
    "Answer",
    "AnswerKind",
    "Held",
    "Labelling",
    "Merged",
    "MergedStore",
    "Near",
    "Receipt",
    "Reencoded",
    "Renamed",
    "Replaced",
    "Report",
    "Suggestion",
]

_HOMES = {
    **dict.fromkeys(("MOST_LIKELY", "Answer", "AnswerKind", "Labelling", "Suggestion"), "answer"),
    **dict.fromkeys(("RECEIPT", "Added", "Receipt", "Reencoded", "Renamed", "Replaced"), "changed"),
    **dict.fromkeys(("Held", "Near"), "held"),
    **dict.fromkeys(("Merged", "MergedStore"), "merged"),
    "Report": "report",
}
"""Where each name is: making a dataclass takes half a millisecond, and a command returns one or two of them."""


__getattr__ = late.names(__name__, _HOMES)
