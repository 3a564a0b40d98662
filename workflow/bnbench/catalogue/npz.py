"""Arrays in .npz files: those that are not compressed are mapped into memory where they lie, and read when needed."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from bnbench.catalogue import reading
from bnbench.errors import UserError, first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ONCE = 2**22  # bytes that are hashed at once
_LOCAL_HEADER = 30  # bytes before the name of a member: the last four of them say how long name and extra field are

_hashes: dict[tuple[str, int, int], str] = {}


def sha256(path: str) -> str:
    """What a file's bytes hash to; read once in a process, unless its size or time changes.

    Raises:
        UserError: the file cannot be read.
    """
    with reading.opened(Path(path), "data file") as file:
        found = Path(path).stat()
        key = (str(Path(path).resolve()), found.st_size, found.st_mtime_ns)
        if key not in _hashes:
            digest = hashlib.sha256()
            while block := file.read(_AT_ONCE):
                digest.update(block)
            _hashes[key] = digest.hexdigest()
        return _hashes[key]


def arrays(path: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file by name, mapped where that can be; what is written to them changes no file.

    Raises:
        UserError: the file cannot be read, is no .npz, or holds Python objects.
    """
    if Path(path).suffix != ".npz":
        raise UserError(f"{path}: found a file ending in '{Path(path).suffix}'; arrays are an .npz file of NumPy")
    with reading.opened(Path(path), "data file") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = [each for each in archive.infolist() if each.filename.endswith(".npy")]
                return {each.filename.removesuffix(".npy"): _array(path, file, archive, each) for each in members}
        except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
            raise UserError(f"{path}: cannot be read as .npz ({first_line(error)})") from error


def _array(path: str, file: IO[bytes], archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as packed:
        version = np.lib.format.read_magic(packed)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, columns_first, dtype = header(packed)
        if dtype.hasobject:
            raise UserError(
                f"{path}: '{member.filename.removesuffix('.npy')}' holds Python objects, which are not read since they "
                "can run code; allowed: arrays of numbers, all examples of one shape"
            )
        if member.compress_type == zipfile.ZIP_STORED and 0 not in shape:
            begin = _begin(file, member) + packed.tell()
            order = "F" if columns_first else "C"
            return np.asarray(np.memmap(path, dtype, "c", begin, shape, order))  # type: ignore[call-overload]
    with archive.open(member) as packed:
        read: NDArray[Any] = np.lib.format.read_array(packed, allow_pickle=False)
        return read


def _begin(file: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin, behind its own header."""
    place = file.tell()
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER)
    file.seek(place)
    lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return member.header_offset + _LOCAL_HEADER + lengths
