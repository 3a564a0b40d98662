"""Data files of users: a CSV or Parquet file as inputs and targets, or one message of what is wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bnbench.catalogue import reading, suspects, table_inputs, table_targets
from bnbench.catalogue.about import MOST_NAMED
from bnbench.catalogue.table_targets import AUTO
from bnbench.errors import UserError, first_line, nearest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INPUTS = "inputs"
"""As a target, unless a column is called so: the inputs themselves."""

_ENDINGS = (".csv", ".parquet")


class Read(NamedTuple):
    """A data file as numbers, and facts about it."""

    x: Array
    """Inputs, [rows, features]; text and categories are one-hot columns."""
    y: Array
    """Targets, [rows, outputs]."""
    labels: tuple[str, ...]
    """As `table_targets.Targets` has them."""
    about: dict[str, Any]
    """JSON-able, see `about.read`."""


def read_table(
    path: str,
    target: str | Sequence[str],
    missing: str = "refuse",
    classes: bool | str = AUTO,
    drop: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> Read:
    """A data file as numbers.

    Raises:
        UserError: the file is absent, empty or unreadable, lacks a column that is named, has a target that is constant
            or not what it is to be, no other column, missing values that are to be refused, values that are not finite,
            or a column of neither numbers nor categories.
    """
    frame = _frame(path)
    if frame.columns.empty:
        raise UserError(f"{path}: no columns; a table needs a target and at least one column to learn from")
    if frame.empty:
        raise UserError(f"{path}: no rows; a table needs a header and at least 4 rows")
    names = _targets(frame, target)
    _refuse_misplaced(path, frame, {"target": names, "drop": drop, "categories": categories})
    kept, in_file = frame.drop(columns=[*drop]), len(frame)
    lacking = kept.isna().sum().sort_values(ascending=False, kind="stable")
    gaps = [[str(name), int(count)] for name, count in lacking.items() if count]
    kept = _without_missing(kept, path, missing) if gaps else kept
    if len(kept) < 4:
        raise UserError(f"{path}: {len(kept)} usable rows; at least 4 are needed, for a training and a test part")
    if not names and classes is True:
        raise UserError(f"{path}: found 'classes: true' with 'target: {INPUTS}', whose targets are numbers")
    targets = table_targets.of(path, kept[names], classes) if names else None
    inputs = kept.drop(columns=names)
    if inputs.columns.empty:
        raise UserError(f"{path}: no column to learn from; allowed: at least one besides {', '.join(names)}")
    encoded = table_inputs.encoded(path, inputs, categories)
    told = targets.told if targets else ()
    about = {
        "in_file": in_file,
        "gaps": gaps[:MOST_NAMED],
        "more_gaps": len(gaps[MOST_NAMED:]),
        "autoencodes": not names,
        "categories": [[*each] for each in encoded.categories[:MOST_NAMED]],
        "more_categories": len(encoded.categories[MOST_NAMED:]),
        "one_hot": sum(count for _, count in encoded.categories),
        "targets": [{**asdict(each), "classes": [[*one] for one in each.classes]} for each in told],
        "suspects": [asdict(each) for each in islice(suspects.among(inputs), MOST_NAMED)],
    }
    y, labels = (targets.values, targets.labels) if targets else (encoded.values, ())
    return Read(encoded.values, y, labels, about)


def inspect_table(path: str, target: str | Sequence[str], missing: str = "refuse", **options: Any) -> dict[str, Any]:
    """What the planner must know of a data file: the derived parameters of `split_tasks.Table`.

    Raises:
        UserError: as `read_table`.
    """
    found = read_table(path, target, missing, **options)
    features, outputs = found.x.shape[1], found.y.shape[1]
    sizes = {"rows": len(found.x), "features": features, "width": outputs}
    labels = {"labels": [*found.labels]} if found.labels else {}
    alone = {} if isinstance(target, str) or len(target) > 1 else {"target": target[0]}
    return {"sha256": sha256(path), **sizes, **labels, **alone, "found": found.about}


def sha256(path: str) -> str:
    """What the file's bytes hash to.

    Raises:
        UserError: the file cannot be read.
    """
    return hashlib.sha256(_bytes(path)).hexdigest()


def _bytes(path: str) -> bytes:
    return reading.content(Path(path), "data file")


def _frame(path: str) -> pd.DataFrame:
    """The file as a frame, whose index counts its rows; not to be changed."""
    ending = Path(path).suffix.lower()
    if ending not in _ENDINGS:
        raise UserError(f"{path}: found a file ending in '{ending}'; a table is a .csv or a .parquet file")
    content = _bytes(path)
    if not content:
        raise UserError(f"{path}: the file is empty")
    try:
        return _parsed(content, ending)
    except Exception as error:  # pandas, pyarrow and the zones of its times raise what they like
        raise UserError(f"{path}: cannot be read as {ending[1:]} ({first_line(error)})") from error


@lru_cache(maxsize=1)
def _parsed(content: bytes, ending: str) -> pd.DataFrame:
    """The content of a file, once for all tasks that read the same."""
    frame = (_read_csv if ending == ".csv" else _read_parquet)(BytesIO(content))
    return frame.reset_index(drop=True)


def _read_csv(file: BytesIO) -> pd.DataFrame:
    """The file, if its header fits: pandas would rename duplicates, and use a column without a name as the index."""
    import pandas as pd  # noqa: PLC0415

    first = file.readline()
    if b"," not in first and (other := next((each for each in (b";", b"\t") if each in first), None)):
        raise ValueError(f"columns are separated by {'a tab' if other != b';' else 'semicolons'}, allowed: by commas")
    file.seek(0)
    header = pd.read_csv(file, header=None, nrows=2, dtype=str).iloc[0].dropna()  # refuses a row longer than the header
    if header.duplicated().any():
        raise ValueError(f"the column '{header[header.duplicated()].iloc[0]}' occurs twice")
    file.seek(0)
    return pd.read_csv(file, low_memory=False)


def _read_parquet(file: BytesIO) -> pd.DataFrame:
    """The file, with decimal numbers as numbers; what pandas has as an index is no column of it."""
    import pandas as pd  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(file) as parquet:
        names = parquet.schema_arrow.names
        decimals = [field.name for field in parquet.schema_arrow if pa.types.is_decimal(field.type)]
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise ValueError(f"the column '{twice}' occurs twice")
    for field in parquet.schema_arrow:
        _refuse_unknown_zone(field)
    file.seek(0)
    frame = pd.read_parquet(file)
    if frame.columns.nlevels > 1:
        several = ".".join(str(each) for each in frame.columns[0])
        raise ValueError(f"columns have {frame.columns.nlevels} levels, allowed: one, with names such as '{several}'")
    if "" in names:
        raise ValueError(f"column {names.index('') + 1} has no name")
    frame.columns = frame.columns.map(str)
    return frame.astype({name: "float64" for name in decimals if name in frame.columns})


def _refuse_unknown_zone(field: pa.Field) -> None:
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_timestamp(field.type) and field.type.tz is not None:
        try:
            pa.lib.string_to_tzinfo(field.type.tz)
        except Exception as error:
            raise ValueError(
                f"column '{field.name}' has times of the zone '{field.type.tz}', not known here"
            ) from error


def _targets(frame: pd.DataFrame, target: str | Sequence[str]) -> list[str]:
    """The columns to predict; none where the inputs themselves are."""
    names = [target] if isinstance(target, str) else [*target]
    if names == [INPUTS] and INPUTS not in frame.columns:
        return []
    return names


def _refuse_misplaced(path: str, frame: pd.DataFrame, named: Mapping[str, Sequence[str]]) -> None:
    """Refuse columns that are not there, and those that are named twice."""
    columns, places = [str(c) for c in frame.columns], dict[str, str]()
    for key, names in named.items():
        for name in names:
            if name not in columns:
                hint = nearest(name, columns)
                raise UserError(f"{path}: {key}: no column '{name}'{hint}; the columns are {', '.join(columns)}")
            if name in places:
                where = f"twice in '{key}'" if places[name] == key else f"in '{places[name]}' and in '{key}'"
                raise UserError(f"{path}: column '{name}' is named {where}; allowed: once")
            places[name] = key


def _without_missing(frame: pd.DataFrame, path: str, missing: str) -> pd.DataFrame:
    """The rows that are whole."""
    gaps = frame.isna().to_numpy()
    if (empty := gaps.all(axis=0)).any():
        name = frame.columns[int(empty.argmax())]
        raise UserError(f"{path}: column '{name}' holds no value in any row; fill it in, or set drop: [{name}]")
    if missing == "drop":
        return frame.dropna()
    row, column = np.argwhere(gaps)[0]
    more = f" and {gaps.sum() - 1} more" if gaps.sum() > 1 else ""
    raise UserError(
        f"{path}: missing value in row {row + 1} (the first row under the header is 1), column "
        f"'{frame.columns[column]}'{more}; fill it in, or set 'missing: drop'"
    )
