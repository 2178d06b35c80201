"""numpy's products on one thread, as the command line has them; imported before numpy is.

Products are small here. OpenBLAS threads wait for each other by spinning: where the other processor is busy
with tests too, the eigenvectors of a prior took twenty times as long.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
