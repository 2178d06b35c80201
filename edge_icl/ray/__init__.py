"""Labels for datasets, and vectors for large stores, by as many one-core workers as a cluster of Ray has.

Needs the extra `ray`. Read in this order:

    cluster    a Ray that runs already, or one of this process's own, which only this machine reaches
    labelling  the workers, and `label`
    building   `add`: workers make the vectors, one process commits

`edge-icl ask --file F --engine ray --out FOLDER` does the same for files, and goes on after an interruption.
"""

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from edge_icl.errors import NotInstalledError
from edge_icl.runtime import late

if TYPE_CHECKING:
    from edge_icl.ray.building import add
    from edge_icl.ray.cluster import running
    from edge_icl.ray.labelling import BLOCK, done, label

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray starts: nothing is told to its makers

for _needed in ("ray", "pyarrow", "pandas"):
    if find_spec(_needed) is None:
        raise NotInstalledError(
            f"Ray Data needs a package that is missing, {_needed}", 'install it: pip install "edge-icl[ray]"'
        )

__all__ = ["BLOCK", "add", "done", "label", "running"]

__getattr__ = late.names(
    __name__,
    {"BLOCK": "labelling", "add": "building", "done": "labelling", "label": "labelling", "running": "cluster"},
)
