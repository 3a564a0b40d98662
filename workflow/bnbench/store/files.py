"""The atomic writing of files: one that exists is whole, even if a writer was killed.

A file is written under a temporary name beside its own, synced and renamed. The writer holds the kernel's lock of the
temporary file, so the next writer of the same file knows which leftovers belong to dead writers, and removes them.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bnbench.errors import UserError


@contextlib.contextmanager
def atomic(path: Path, *, once: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well, remove it otherwise.

    Args:
        path: where the file will lie.
        once: leave a file that is there as it is, also one that another writer has written meanwhile.

    Raises:
        UserError: the file cannot be written (no space, no permission); `path` stays as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        handle, temporary = _temporary(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        os.fchmod(handle, 0o666 & ~_umask())
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        if once:
            _link(temporary, path)
        else:
            temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that of several writers that read it first, none misses what another one adds.

    Raises:
        UserError: there is no such folder.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror})") from error
    try:
        with contextlib.suppress(OSError):  # of a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)  # a process that was forked meanwhile shares the handle, and the lock
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_once(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8, unless it exists; of several writers at once, the first one wins."""
    with atomic(path, once=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _link(temporary: Path, path: Path) -> None:
    """Give the file at `temporary` the name `path`, unless a file has it."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    except OSError:  # of a file system without links, on which two writers at once may both write
        if not path.exists():
            temporary.replace(path)


def _temporary(path: Path) -> tuple[int, Path]:
    """A new file beside `path`, locked, by its handle and its name."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with contextlib.suppress(OSError):  # of a file system without locks, on which leftovers stay
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)  # removed as a leftover before it was locked


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{path.name}.*"):
        with contextlib.suppress(OSError), leftover.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
