"""The parts of `make gpu`, in the order in which they run: what is cheap and vital comes first."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """A part."""

    name: str
    module: str
    """That has `measure(options, report)`."""
    title: str
    page: str
    """File that its section goes to."""
    weight: float
    """Share of the time: seconds of eight minutes."""
    needs: tuple[str, ...] = ()
    """Modules that it cannot do without."""


PARTS = (
    Part("tests", "cuda_tests", "Tests that need a GPU", "checks.md", 160, ("pytest", "hypothesis", "syrupy")),
    Part("repeat", "repeatability", "The same bits twice, and after a resumption", "checks.md", 40),
    Part("memory", "out_of_memory", "Too little memory", "checks.md", 15),
    Part("speed", "speed", "Speed of a study of many seeds", "speed.md", 75),
    Part("pace", "pace", "Pace early and late in one run", "pace.md", 35),
    Part("costs", "costs", "Cost sweep", "checks.md", 85, ("scipy", "sklearn")),
    Part("workflow", "whole_workflow", "The whole workflow on CPU and GPU", "checks.md", 70, ("snakemake", "seaborn")),
)
