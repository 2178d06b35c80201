"""Instructions in the format of Stanford Alpaca.

    {"instruction": "Translate into French.", "input": "Good morning", "output": "Bonjour"}

Some data sets have a `history` of earlier questions and answers: see `conversation`.
"""

from __future__ import annotations

from edge_icl.cli.formats import instructions

ALPACA = instructions.layout("alpaca", "Alpaca", "input", "output", history="history")
