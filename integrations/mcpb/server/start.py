"""Start the server for a host that runs the bundle's entry point rather than its command.

The Python that runs this must have edge-icl with its extra `mcp`.
"""

import sys

from edge_icl.cli.main import main

sys.exit(main(["mcp"]))
