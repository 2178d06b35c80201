"""Instructions in the format of Databricks Dolly.

{"instruction": "Who wrote it?", "context": "Emma is a novel by Jane Austen.", "response": "Jane Austen"}
"""

from __future__ import annotations

from edge_icl.cli.formats import instructions

DOLLY = instructions.layout("dolly", "Dolly", "context", "response")
