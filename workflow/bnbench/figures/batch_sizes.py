"""The effect by batch size."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bnbench.figures import legends
from bnbench.figures.axes import effect_axis
from bnbench.figures.colours import GREY, PAPER, of_verdict
from bnbench.figures.panels import add_legend, finish, grid, label
from bnbench.figures.style import WIDE, Room, row_name
from bnbench.plan.study import Study
from bnbench.wording import effects


def draw(study: Study, table: pd.DataFrame, room: Room = WIDE) -> Figure:
    """The effect against the batch size, a panel for each of what else is held fixed, coloured by the verdicts."""
    named = table.assign(held=[row_name(study, row, "batch_size") for row in table.to_dict("records")])
    arms = {arm: place for place, arm in enumerate(study.arms)}
    named = named.assign(arm=named["treatment"].map(arms)).sort_values(["arm", "examples"], kind="stable")
    parts = [(str(held), part) for held, part in named.groupby("held", sort=False)]
    columns = min(len(parts), room.columns if room.narrow else 4)
    sheet = grid(parts, room, columns, left=0.85)
    sizes = sorted(set(table["examples"]))
    for panel in sheet.panels:
        ax, rows = panel.axes[0], panel.rows
        effect_axis(ax, study.outcome)
        ax.plot(rows["examples"], rows["effect"], color=GREY, lw=1.0, zorder=2)
        for row in rows.to_dict("records"):
            colour, place = of_verdict(row["verdict"]), row["examples"]
            solid = row["verdict"] in ("helps", "hurts") and row["test"] == "mean"
            ax.plot([place] * 2, [row["effect_low"], row["effect_high"]], color=colour, lw=1.8, zorder=3)
            ax.plot(place, row["effect"], "o", ms=6, mec=colour, mfc=colour if solid else PAPER, mew=1.6, zorder=4)
            panel.show([place] * 3, [row[name] for name in ("effect_low", "effect", "effect_high")], colour)
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, [str(size) for size in sizes] if panel.last else [""] * len(sizes))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(min(sizes) / 1.3, max(sizes) * 1.3)
    finish(sheet, log=study.outcome.is_ratio, line=study.outcome.no_effect)
    label(sheet, "examples in a batch", effects.named(study.outcome))
    return add_legend(sheet, legends.of_verdicts())
