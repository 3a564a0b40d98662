"""Pictures of a page that would be too heavy together: the largest become dots of few colours, until all fit."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from bnbench.page.addresses import data_address

TOGETHER = 4_000_000
"""Characters of all pictures of a page, at most, as far as dots can bring them there."""

_SCALES = (1.0, 0.6)
"""Of the drawn PNG: the second has about one dot for each pixel of a screen."""

_COLOURS = 48


def within(shown: Mapping[str, dict[str, Any]], folder: Path, most: int = TOGETHER) -> dict[str, dict[str, Any]]:
    """The same pictures, of which the largest are held as dots if all together exceed `most` characters.

    Args:
        shown: name of each figure → what `figures_shown.picture` says of it.
        folder: where the figures lie, each as a PNG too.
        most: characters.
    """
    lighter = dict(shown)
    left = {name: list(_SCALES) for name in shown if (folder / f"{name}.png").exists()}
    while left and sum(len(each["image"]) + len(each["narrow"]) for each in lighter.values()) > most:
        largest = max(left, key=lambda name: len(lighter[name]["image"]))
        image = _dots(folder / f"{largest}.png", left[largest].pop(0))
        if len(image) < len(lighter[largest]["image"]):
            lighter[largest] = {**lighter[largest], "kind": "dots", "image": image}
        if not left[largest]:
            del left[largest]
    return lighter


def _dots(path: Path, scale: float) -> str:
    """A PNG in few colours as a data address."""
    from PIL import Image  # noqa: PLC0415 - as Matplotlib, which needs it, has it

    with path.open("rb") as file:
        drawn = Image.open(file)
        drawn.load()
    size = round(drawn.width * scale), round(drawn.height * scale)
    smaller = drawn.convert("RGB").resize(size, Image.Resampling.BOX) if scale < 1 else drawn.convert("RGB")
    few = smaller.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    written = BytesIO()
    few.save(written, "png", optimize=True)
    return data_address("image/png", written.getvalue())
