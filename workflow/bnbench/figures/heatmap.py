"""The heat map: the ratios of the losses over the grid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from bnbench.figures.colours import PAPER
from bnbench.figures.style import WIDTH, palette, row_name, times, unique
from bnbench.plan.study import Study


def draw(study: Study, contexts: pd.DataFrame) -> Figure:
    """The ratios over the grid; the colour is that of the arm that does better."""
    across = _across(study)
    rows = contexts.to_dict("records")
    down = [row_name(study, row, across) for row in rows]
    table = contexts.assign(down=down, exponent=np.log(contexts["effect"].where(contexts["test"] == "mean")))
    table["text"] = [f"{times(row['effect'])}\n{row['verdict']}" for row in rows]
    levels = [level for level in study.levels[across] if level in set(table[across])]
    exponents, texts = (
        table.pivot(index="down", columns=across, values=column).reindex(index=unique(down), columns=levels)
        for column in ("exponent", "text")
    )
    most = max(float(np.nanmax(np.abs(exponents.to_numpy()), initial=0.0)), np.log(study.report.margin))
    colours = [palette(study)[arm] for arm in (study.arms[1], study.report.baseline)]
    scale = LinearSegmentedColormap.from_list("better", [colours[0], "white", colours[1]])
    figure, ax = plt.subplots(figsize=(WIDTH, 1.2 + 0.7 * len(exponents)), layout="constrained")
    sns.heatmap(
        exponents.set_axis([study.level(across, level).title for level in levels], axis=1),
        vmin=-most,
        vmax=most,
        cmap=scale,
        annot=texts,
        fmt="",
        annot_kws={"size": 9.5},
        linewidths=2,
        linecolor=PAPER,
        cbar=False,
        ax=ax,
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, rotation=0)
    return figure


def _across(study: Study) -> str:
    """The factor whose levels stand side by side: the batch size, or the last of those that have several."""
    varied = study.varied()
    return "batch_size" if "batch_size" in varied else varied[-1]
