"""Examples that the real models can tell apart, for tests of whole stores."""

from edge_icl import Example

SEED = bytes(range(32))

PAIRS = [
    ("Uber to the airport", "travel"),
    ("Train ticket to Lyon", "travel"),
    ("Hotel in Berlin, two nights", "travel"),
    ("Flight change fee", "travel"),
    ("Lunch with the Osaka client", "meals"),
    ("Team dinner after the release", "meals"),
    ("Coffee and pastries for the workshop", "meals"),
    ("Sandwiches for the board meeting", "meals"),
    ("Printer toner", "office"),
    ("A box of whiteboard markers", "office"),
    ("Standing desk for the new hire", "office"),
    ("Paper, envelopes and stamps", "office"),
]

EXAMPLES = [Example.create(*pair) for pair in PAIRS]
