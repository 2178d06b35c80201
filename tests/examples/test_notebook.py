"""The notebook runs from its first cell to its last, and shows what a reader of it is promised."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from one_page import EXAMPLES

PATH = EXAMPLES / "notebook.ipynb"

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")


def shown(cell: Any, kind: str = "text/plain") -> str:
    """Return what the last line of a cell shows."""
    return "".join(output["data"].get(kind, "") for output in cell.outputs if "data" in output)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # Jupyter's own
@pytest.mark.usefixtures("models_home", "fresh_models")  # the kernel is a process of its own, and loads its own
def test_it_runs_and_shows_answers_tables_and_proofs(tmp_path: Path) -> None:
    notebook = nbformat.read(PATH, as_version=4)

    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()

    cells = {cell.source.splitlines()[-1]: cell for cell in notebook.cells if cell.cell_type == "code"}
    assert shown(cells['memory.add_many(expenses.to_dict("records")).added']) == "12"
    table = shown(cells["pd.DataFrame(memory.examples())"], "text/html")
    assert all(word in table for word in ("<th>input</th>", "<th>output</th>", "Uber to the airport"))
    assert "travel" in shown(cells["answer"], "text/html")
    labels = shown(cells['pd.DataFrame(answers)[["question", "text", "probability"]]'])
    assert re.findall(r"\b(?:travel|meals|office)\b", labels) == ["meals", "office", "travel"]
    assert "accuracy" in shown(cells["memory.check()"], "text/html").lower()
    assert shown(cells["with_secret != before, memory.root == before"]) == "(True, True)"
    assert shown(cells["receipt"], "text/html")
    assert "12" in shown(cells["memory.verify(deep=True)"], "text/html")
    assert "<iframe" in shown(cells["memory.report()"], "text/html")


def test_it_comes_without_outputs() -> None:
    notebook = nbformat.read(PATH, as_version=4)

    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
