"""A window that classifies a line as you type, learns from corrections, and forgets; all with undo.

    python examples/desktop                    the store "desktop"
    python examples/desktop --store work       another one, by its name or its path

It needs Tk, which comes with Python, or as a package of its own (Debian: python3-tk).
"""

from __future__ import annotations

import argparse
import signal
import sys
import tkinter as tk

from window import Window

from edge_icl import EdgeIclError


def main() -> None:
    """Open the window and return when it is closed."""
    parser = argparse.ArgumentParser(prog="desktop", description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="desktop", help="its name, or its path")
    parser.add_argument("--model", help="name of an LLM, or path of a GGUF file")
    options = parser.parse_args()
    try:
        root = tk.Tk(className="edge-icl")
    except tk.TclError as error:
        sys.exit(f"desktop: error: there is no screen to show a window on: {error}")
    try:
        window = Window(root, options.store, options.model)
    except EdgeIclError as error:
        sys.exit(f"desktop: error: {error}")
    signal.signal(signal.SIGINT, lambda *_: root.after_idle(window.close))  # not in the middle of a callback
    root.minsize(760, 560)
    root.mainloop()


main()
