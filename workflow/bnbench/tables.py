"""The tables of a study: their columns, their atomic writing, their reading, and the provenance in their footers.

A file is written under a temporary name, synced and renamed, so a file that exists is whole. Used by every step.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bnbench import __version__
from bnbench.errors import UserError, first_line

if TYPE_CHECKING:
    import pandas as pd

FACTORS = ("task", "norm", "batch_size", "optimizer", "device")
OUTCOMES = ("train_loss", "eval_loss", "test_loss", "test_loss_precise")

_KEYS = [("setting", pa.string()), ("seed", pa.int64())]
_LABELS = [(factor, pa.string()) for factor in FACTORS]
_LOSSES = [(outcome, pa.float64()) for outcome in OUTCOMES]

SCHEMAS: dict[str, pa.Schema] = {
    "losses": pa.schema([*_LABELS, *_KEYS, ("epoch", pa.int64()), *_LOSSES]),
    "trials": pa.schema(
        [
            *_LABELS,
            *_KEYS,
            *_LOSSES,
            ("diverged_at", pa.int64()),
            ("seconds", pa.float64()),
            ("threads", pa.int64()),
            ("device_name", pa.string()),
            ("python", pa.string()),
            ("torch", pa.string()),
            ("numpy", pa.string()),
            ("bnbench", pa.string()),
            ("commit", pa.string()),
            ("numerics", pa.int64()),
            ("weights_hash", pa.string()),
        ]
    ),
    "predictions": pa.schema([*_LABELS, *_KEYS, ("x", pa.float64()), ("y", pa.float64()), ("y_fit", pa.float64())]),
}
"""Columns of the tables under `results/`; the README documents each."""


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well, remove it otherwise.

    Raises:
        UserError: the file cannot be written (no space, no permission); `path` stays as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    temporary = Path(name)
    try:
        os.fchmod(handle, 0o666 & ~_umask())
        os.close(handle)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a binary file atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_parquet(path: Path, table: pa.Table, footer: Mapping[str, Any] | None = None) -> None:
    """Write one table atomically; `footer` is stored as JSON under the key `bnbench`."""
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(_footer(footer)), temporary)


@contextlib.contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Write a table part by part, one row group a call, atomically as a whole."""
    with atomic(path) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        yield lambda table: writer.write_table(table.cast(schema), row_group_size=max(1, table.num_rows))


def read_parquet(path: Path, **options: Any) -> pa.Table:
    """Read a table (`columns=…`, `filters=…` as pyarrow has them).

    Raises:
        UserError: the file is absent, corrupt or not a parquet file.
    """
    with _reading(path, "a readable table"):
        return pq.read_table(path, partitioning=None, **options)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table of a report; labels are text, whatever they look like.

    Raises:
        UserError: the file is absent or not a table.
    """
    import pandas as pd  # noqa: PLC0415 - the trainer's jobs import this module and need no pandas

    labels = dict.fromkeys((*FACTORS, "baseline", "treatment"), str)
    with _reading(path, "a readable table"):
        return pd.read_csv(path, dtype=labels, keep_default_na=False, na_values=[""])


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file.

    Raises:
        UserError: the file is absent or corrupt.
    """
    with _reading(path, "readable"):
        return _mapping(path.read_text(encoding="utf-8"))


def footer(path: Path) -> dict[str, Any]:
    """What `write_parquet` stored in the footer; empty for a file that another program wrote.

    Raises:
        UserError: the file is absent, corrupt or not a parquet file.
    """
    with _reading(path, "a readable table"):
        return _mapping((pq.read_schema(path).metadata or {}).get(b"bnbench", b"{}"))


def provenance() -> dict[str, str]:
    """Versions that the numbers come from, and the commit; no environment variables, user or host names."""
    return {
        "python": platform.python_version(),
        "torch": _version("torch"),
        "numpy": _version("numpy"),
        "bnbench": __version__,
        "commit": _commit(),
    }


def processor() -> str:
    """Model of this machine's processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextlib.contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    """Turn what can befall a reader of `path` into one message, that it is not `what`."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the workflow to make it") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = first_line(error)
        raise UserError(f"{path}: not {what} ({reason}); delete it and run the workflow again") from error


def _mapping(text: str | bytes) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError(f"found {type(content).__name__}, allowed: an object")
    return content


def _footer(content: Mapping[str, Any] | None) -> dict[bytes, bytes]:
    return {b"bnbench": json.dumps(content, sort_keys=True).encode()} if content else {}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


@cache
def _commit() -> str:
    """Commit of the checkout that the package lies in; empty outside one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
