"""What an assistant can do with a store: one table of tools.

Each tool's arguments are a model, from which the client gets a schema and the tool gets checked values, and so
is what it returns. That is said twice, as text and as fields, since clients differ in what they show to theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_icl.mcp import arguments, returned
from edge_icl.mcp.changing import add, fix, fix_dry_run, forget, forget_dry_run
from edge_icl.mcp.checking import check
from edge_icl.mcp.reading import ask, labels, list_, search, status

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_icl.mcp.arguments import Arguments
    from edge_icl.mcp.desk import Desk, Result
    from edge_icl.mcp.returned import Returned


@dataclass(frozen=True, slots=True)
class Tool:
    """A row of the table.

    Attributes:
        title: what a person reads.
        run: does it; its name and its docstring are the tool's.
        arguments: what it takes.
        fields: what it returns.
        reads_only: whether it changes nothing.
        destroys: whether what it does cannot be undone.
    """

    title: str
    run: Callable[[Desk, Any], Result]
    arguments: type[Arguments]
    fields: type[Returned]
    reads_only: bool = True
    destroys: bool = False


TOOLS = {
    tool.run.__name__.rstrip("_"): tool
    for tool in (
        Tool("Teach an example", add, arguments.AddArguments, returned.Added, reads_only=False),
        Tool("Ask the user's examples", ask, arguments.AskArguments, returned.Answer),
        Tool("Find like examples", search, arguments.SearchArguments, returned.Found),
        Tool("List examples", list_, arguments.ListArguments, returned.Page),
        Tool("List labels", labels, arguments.LabelsArguments, returned.Labels),
        Tool("Check the examples", check, arguments.CheckArguments, returned.Checked),
        Tool("Look at the store", status, arguments.StatusArguments, returned.Status),
        Tool("Show a correction", fix_dry_run, arguments.FixDryRunArguments, returned.FixPlan),
        Tool(
            "Correct an example", fix, arguments.FixArguments, returned.Fixed, reads_only=False, destroys=True
        ),
        Tool("Show what would be forgotten", forget_dry_run, arguments.DryRunArguments, returned.Plan),
        Tool(
            "Forget examples",
            forget,
            arguments.ForgetArguments,
            returned.Forgotten,
            reads_only=False,
            destroys=True,
        ),
    )
}
"""Name -> tool."""
