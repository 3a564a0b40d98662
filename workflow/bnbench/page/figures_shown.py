"""The figures as the page shows them: pictures that it holds itself, at home on light and dark pages, and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bnbench.errors import UserError
from bnbench.figures.colours import DARK
from bnbench.page import lighter
from bnbench.page.addresses import data_address
from bnbench.plan.study import Study
from bnbench.vocabulary import PACKAGE
from bnbench.wording import alt_texts, contents, templating

CAPTIONS = PACKAGE / "captions"
"""A text for each figure, which Snakemake's report renders too."""

_LARGE = 400_000  # bytes of an SVG for which the page takes the PNG if that is smaller

_WIDE, _TALL, _HALF = 960, 900, 480  # pixels: the width of the page's column, a screen, and about half of one

MANY = 12
"""Comparisons of a study whose figures are folded from half a screen on, and whose heat map comes first."""

_CHANGED = "".join(
    f'[style*="{what}: {light}"] {{ {what}: {dark} !important }}\n'
    for light, dark in DARK.items()
    for what in ("fill", "stroke")
)
_DARK = f"<style>@media (prefers-color-scheme: dark) {{\n{_CHANGED}}}</style>"
"""What a figure says of itself where the reader prefers dark pages."""


def figures(
    study: Study, out: Path, verdicts: Mapping[str, Any], found: Mapping[str, pd.DataFrame], said: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Name of each figure → its title, words, caption and picture, and whether it is too tall to be shown at once.

    Args:
        study: the study.
        out: its folder, where the figures lie.
        verdicts: what `verdicts.json` holds.
        found: the study's tables, by name.
        said: what captions say of the study.

    Raises:
        UserError: a figure is absent.
    """
    high = _HALF if len(found["contexts"]) > MANY else _TALL
    caption = {"snakemake": {"params": {"said": said}}}
    shown = {
        name: {
            "title": title,
            "alt": alt_texts.text(study, name, verdicts, found[contents.SOURCES[name]]),
            "caption": templating.rendered((CAPTIONS / f"{name}.rst").read_text(encoding="utf-8"), **caption),
            **picture(out / "figures" / name, high),
        }
        for name, title in contents.figures(study).items()
        if name != "confusion" or len(found["confusion"])  # results of earlier versions have no counts
    }
    return lighter.within(shown, out / "figures")


def picture(path: Path, high: int) -> dict[str, Any]:
    """A figure as a data address, tall from `high` pixels on; of very many marks, the PNG where that is smaller."""
    drawn = _read(path.with_suffix(".svg"))
    size = re.search(rb'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"', drawn)
    width, height = (round(float(side) * 4 / 3) for side in size.groups()) if size else (_WIDE, 0)
    shown: dict[str, Any] = {"width": width, "height": height, "tall": height * min(1, _WIDE / width) > high}
    shown["narrow"] = _narrow(path.with_name(f"{path.name}-narrow.svg"))
    dots = path.with_suffix(".png")
    if len(drawn) > _LARGE and dots.exists() and dots.stat().st_size < len(drawn):
        return {**shown, "kind": "dots", "image": data_address("image/png", dots.read_bytes())}
    return {**shown, "kind": "", "image": _drawing(drawn)}


def _narrow(path: Path) -> str:
    """The address of a figure's variant for telephones; empty where there is none, or one of very many marks."""
    return _drawing(_read(path)) if path.exists() and path.stat().st_size <= _LARGE else ""


def _drawing(svg: bytes) -> str:
    """An SVG as a data address, with what it says of itself on dark pages."""
    return data_address("image/svg+xml", svg.replace(b"<defs>", f"<defs>{_DARK}".encode(), 1))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); run the workflow to make it") from error
