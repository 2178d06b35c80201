"""Labels for datasets, and vectors for large stores, by as many one-core workers as a cluster of Ray has.

Needs the extra `ray`. Read in this order:

    cluster    a Ray that runs already, or one of this process's own, which only this machine reaches
    labelling  the workers, and `label`
    building   `add`: workers make the vectors, one process commits

`edge-icl ask --file F --engine ray --out FOLDER` does the same for files, and goes on after an interruption.
"""

import os
from importlib.util import find_spec

from edge_icl.errors import NotInstalledError

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray starts: nothing is told to its makers

for _needed in ("ray", "pyarrow", "pandas"):
    if find_spec(_needed) is None:
        raise NotInstalledError(
            f"Ray Data needs a package that is missing, {_needed}", 'install it: pip install "edge-icl[ray]"'
        )

from edge_icl.ray.building import add  # noqa: E402 - what is missing is told first
from edge_icl.ray.cluster import running  # noqa: E402
from edge_icl.ray.labelling import BLOCK, done, label  # noqa: E402

__all__ = ["BLOCK", "add", "done", "label", "running"]
