"""Finds seeds in the names of columns and of runs."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SEED = re.compile(r"(?:.*[._/ -])?(?:random_|rng_|global_)?seed(?:_everything)?", re.IGNORECASE)
_ENDS_IN_SEED = re.compile(r"(?P<group>.+?)[-_ ./,]+(?P<word>seed|s)?[-_ =:]*(?P<seed>\d{1,9})", re.IGNORECASE)


def is_seed(column: str) -> bool:
    """Whether a column is named as a seed, such as `seed`, `random_seed` or `data.seed`."""
    return _SEED.fullmatch(column) is not None


def split(names: Sequence[str]) -> dict[str, tuple[str, str]] | None:
    """The group and the seed of each name of a run, such as `bn-seed3`, `none_s0` or `bn_3`, if all names have them.

    A number without the word may be anything, such as that of `resnet-18`: it is a seed only if there are two groups,
    and if one of them has several.
    """
    found = {name: _ENDS_IN_SEED.fullmatch(name) for name in names}
    splits = {name: (match["group"], str(int(match["seed"]))) for name, match in found.items() if match}
    if not names or len(splits) < len(found) or len(set(splits.values())) < len(found):
        return None
    groups = {group for group, _ in splits.values()}
    worded = all(match["word"] for match in found.values() if match)
    return splits if worded or 1 < len(groups) < len(splits) else None
