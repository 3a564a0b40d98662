"""Data files of users: a CSV or Parquet file as inputs and a target, or one message of what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bnbench.catalogue import reading
from bnbench.errors import UserError, first_line, nearest

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def read_table(path: str, target: str, missing: str) -> tuple[Array, Array]:
    """Inputs [rows, features] and target [rows, 1] of a data file; text and categories become one-hot columns.

    Raises:
        UserError: the file is absent, empty or unreadable, has no such target, a target that is constant or not
            numeric, no other column, missing values that are to be refused, values that are not finite, or a column of
            neither numbers nor categories.
    """
    import pandas as pd  # noqa: PLC0415 - the trainer imports this module and most tasks need no pandas

    frame = _read_frame(path)
    if frame.empty:
        raise UserError(f"{path}: no rows; a table needs a header and at least 4 rows")
    if target not in frame.columns:
        columns = [str(c) for c in frame.columns]
        raise UserError(f"{path}: no column '{target}'{nearest(target, columns)}; the columns are {', '.join(columns)}")
    frame = _without_missing(frame, path, missing)
    y = frame.pop(target)
    if pd.api.types.is_bool_dtype(y) or not pd.api.types.is_numeric_dtype(y):
        raise UserError(f"{path}: target '{target}' is not numeric (found {y.dtype}); a regression needs numbers")
    if y.nunique() == 1:
        raise UserError(f"{path}: target '{target}' is constant; there is nothing to learn")
    if frame.columns.empty:
        raise UserError(f"{path}: '{target}' is the only column; there is nothing to learn it from")
    if len(frame) < 4:
        raise UserError(f"{path}: {len(frame)} usable rows; at least 4 are needed, for a training and a test part")
    for name, column in frame.items():
        kind = pd.api.types.infer_dtype(column)
        if kind not in ("integer", "floating", "boolean", "string", "categorical", "bytes"):
            raise UserError(f"{path}: column '{name}' holds neither numbers nor categories (found {kind}); convert it")
    numbers = pd.get_dummies(frame).astype("float64")
    x, targets = numbers.to_numpy(), y.to_numpy(dtype="float64")[:, None]
    if not (np.isfinite(x).all() and np.isfinite(targets).all()):
        bad = target if not np.isfinite(targets).all() else numbers.columns[~np.isfinite(x).all(axis=0)][0]
        raise UserError(f"{path}: column '{bad}' holds an infinite value; every value must be finite")
    return x, targets


def inspect_table(path: str, target: str, missing: str) -> dict[str, str | int]:
    """What the planner must know of a data file: `sha256`, `rows` and `features`.

    Raises:
        UserError: as `read_table`.
    """
    x, _ = read_table(path, target, missing)
    return {"sha256": sha256(path), "rows": len(x), "features": x.shape[1]}


def sha256(path: str) -> str:
    """What the file's bytes hash to.

    Raises:
        UserError: the file cannot be read.
    """
    return hashlib.sha256(_bytes(path)).hexdigest()


def _bytes(path: str) -> bytes:
    return reading.content(Path(path), "data file")


def _read_frame(path: str) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    readers: dict[str, Callable[[str], pd.DataFrame]] = {".csv": _read_csv, ".parquet": pd.read_parquet}
    ending = Path(path).suffix.lower()
    if ending not in readers:
        raise UserError(f"{path}: found a file ending in '{ending}'; a table is a .csv or a .parquet file")
    if not _bytes(path):
        raise UserError(f"{path}: the file is empty")
    try:
        return readers[ending](path)
    except (ValueError, OSError) as error:  # pandas' and pyarrow's parsing errors are both ValueErrors
        raise UserError(f"{path}: cannot be read as {ending[1:]} ({first_line(error)})") from error


def _read_csv(path: str) -> pd.DataFrame:
    """The file, if its header fits: pandas would rename what stands twice, and take what has no name as the index."""
    import pandas as pd  # noqa: PLC0415

    header = pd.read_csv(path, header=None, nrows=2, dtype=str).iloc[0].dropna()  # refuses a row longer than the header
    if header.duplicated().any():
        raise ValueError(f"the column '{header[header.duplicated()].iloc[0]}' stands twice")
    return pd.read_csv(path, low_memory=False)


def _without_missing(frame: pd.DataFrame, path: str, missing: str) -> pd.DataFrame:
    gaps = frame.isna().to_numpy()
    if not gaps.any():
        return frame
    if missing == "drop":
        return frame.dropna(ignore_index=True)
    row, column = np.argwhere(gaps)[0]
    more = f" and {gaps.sum() - 1} more" if gaps.sum() > 1 else ""
    raise UserError(
        f"{path}: missing value in row {row + 1} (the first row under the header is 1), column "
        f"'{frame.columns[column]}'{more}; fill it in, or set 'missing: drop'"
    )
