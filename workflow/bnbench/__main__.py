"""`python -m bnbench`, and the command `bnbench`."""

import gc
import os
import sys

# The report multiplies thin matrices, at which a second BLAS thread only spins. NumPy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bnbench import output
from bnbench.cli import main


def run() -> None:
    """Run one verb, and end with its exit status."""
    # A step imports torch or seaborn, which make objects by the hundred thousand and no garbage. Looking for it as
    # often as usual, and once more at the end, would take a third of a second.
    gc.set_threshold(50_000)
    output.keep_going()
    status = main()
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    run()
