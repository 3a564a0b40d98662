"""`python -m bnbench`."""

import os
import sys

# The report multiplies thin matrices, at which a second BLAS thread only spins. NumPy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bnbench.cli import main

sys.exit(main())
