"""The files that a config names: their bytes, or one message of why nobody can read them here."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from bnbench import regular
from bnbench.errors import UserError
from bnbench.vocabulary import IMAGE


def content(file: Path, called: str, image: Path = IMAGE) -> bytes:
    """The bytes of a file that a config names.

    Args:
        file: where it lies, as seen from where the run starts.
        called: what messages call it, such as "data file".
        image: what tells that this runs in an image of ours.

    Raises:
        UserError: the file cannot be read, or is a pipe or a device; within an image, with how to let the image see it.
    """
    try:
        regular.require(file)
        return file.read_bytes()
    except OSError as error:
        raise _unread(file, called, image, error) from error


def opened(file: Path, called: str, image: Path = IMAGE) -> IO[bytes]:
    """A file that a config names, to be read part by part; see `content`.

    Raises:
        UserError: the file cannot be opened, or is a pipe or a device.
    """
    try:
        regular.require(file)
        return file.open("rb")
    except OSError as error:
        raise _unread(file, called, image, error) from error


def _unread(file: Path, called: str, image: Path, error: OSError) -> UserError:
    unseen = isinstance(error, FileNotFoundError) and image.exists() and _is_outside(file)
    hint = f"; {_bind(file)}" if unseen else ""
    return UserError(f"{file}: cannot read the {called} ({error.strerror}){hint}")


def _is_outside(file: Path) -> bool:
    """Whether a file, or what it is a link to, lies outside of the working folder."""
    return not file.resolve().is_relative_to(Path.cwd())


def _bind(file: Path) -> str:
    folder = file.resolve().parent
    return (
        "an image sees only the working folder and bound folders: put the file there, or give Snakemake "
        f'--apptainer-args "--bind {folder}"'
    )
