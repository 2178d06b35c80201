r"""Classify lines from standard input by the examples of a store: label, probability and line.

    printf 'Cab to the trade fair\nToner, black\n' | python examples/classify.py --store work

Lines of which the store is less sure than --least, and lines unlike all that it was taught, are marked with a
question mark, for a person to look at.
"""

from __future__ import annotations

import argparse
import sys

import edge_icl


def main() -> None:
    """Read lines, write labels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="default", help="its name, or its path")
    parser.add_argument("--least", type=float, default=0.6, help="a surer label has no question mark")
    options = parser.parse_args()
    try:
        with edge_icl.Memory.open(options.store, create=False) as memory:
            for line in filter(None, map(str.strip, sys.stdin)):
                answer = memory.ask(line, labels="on")
                probability = answer.probability or 0.0
                sure = "" if probability >= options.least and not answer.unlike else "?"
                print(f"{answer.text}{sure}", f"{probability:.2f}", line, sep="\t", flush=True)
    except edge_icl.EdgeIclError as error:
        sys.exit(f"classify: error: {error}")


if __name__ == "__main__":
    main()
