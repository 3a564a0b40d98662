"""What the modules of Triton's kernels have in common: where they are built, and why they may not be."""

import atexit
import os
import shutil
import tempfile

_CACHE = "TRITON_CACHE_DIR"


def prepare() -> None:
    """Before Triton is imported: let it keep what it builds where it can, and build the same in all of its versions.

    It keeps builds in the home folder, or where the environment says. Some versions fuse multiplications with
    additions by default, others do not.
    """
    os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")
    kept = os.path.expanduser(os.environ.get("TRITON_HOME", "~"))  # noqa: PTH111 - pathlib fails without a home
    if _CACHE not in os.environ and not os.access(kept, os.W_OK):
        keep_in_own_folder()


def keep_in_own_folder() -> None:
    """Let Triton keep what it builds in a folder that goes with this process."""
    folder = tempfile.mkdtemp(prefix="bnbench-triton-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[_CACHE] = folder


def reason(error: BaseException) -> str:
    """Why a kernel cannot be built: the last line of the message, since the first may name no more than a place."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__
