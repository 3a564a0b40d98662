"""The columns of all tables."""

import pyarrow as pa

from bnbench.vocabulary import ACCURACY, FACTORS, MEASURED, VALIDATION

_KEYS = [("setting", pa.string()), ("seed", pa.int64())]
_LABELS = [(factor, pa.string()) for factor in FACTORS]
_LOSSES = [(outcome, pa.float64()) for outcome in MEASURED]

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
            ("image", pa.string()),
            ("numerics", pa.int64()),
            ("weights_hash", pa.string()),
        ]
    ),
    "predictions": pa.schema([*_LABELS, *_KEYS, ("x", pa.float64()), ("y", pa.float64()), ("y_fit", pa.float64())]),
}
"""Columns of the tables under `results/`; the README documents each."""

ADDED = {"image": "host", VALIDATION: None, ACCURACY: None}
"""Columns that the tables of earlier versions lack, and what was true of their trials."""
