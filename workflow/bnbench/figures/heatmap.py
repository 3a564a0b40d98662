"""The heat map: the effects over the grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from bnbench.figures.colours import PAPER
from bnbench.figures.style import WIDTH, palette, row_name, unique
from bnbench.plan.study import Study
from bnbench.wording import effects


def draw(study: Study, contexts: pd.DataFrame) -> Figure:
    """The effects over the grid; the colour is that of the arm that does better."""
    across = _across(study)
    rows = contexts.to_dict("records")
    down = [row_name(study, row, across) for row in rows]
    table = contexts.assign(down=down, cost=_costs(study, contexts))
    table["text"] = [_text(study, row) for row in rows]
    levels = [level for level in study.levels[across] if level in set(table[across])]
    costs, texts = (
        table.pivot(index="down", columns=across, values=column).reindex(index=unique(down), columns=levels)
        for column in ("cost", "text")
    )
    most = max(float(np.nanmax(np.abs(costs.to_numpy()), initial=0.0)), study.outcome.cost_margin(study.report.margin))
    colours = [palette(study)[arm] for arm in (study.arms[1], study.report.baseline)]
    scale = LinearSegmentedColormap.from_list("better", [colours[0], "white", colours[1]])
    figure, ax = plt.subplots(figsize=(WIDTH, 1.2 + 0.7 * len(costs)), layout="constrained")
    sns.heatmap(
        costs.set_axis([study.level(across, level).title for level in levels], axis=1),
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
    for y, x in np.argwhere(costs.isna() & texts.notna()):  # what has no colour has no text of seaborn's
        ax.text(x + 0.5, y + 0.5, texts.iloc[y, x], ha="center", va="center", fontsize=9.5)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, rotation=0)
    return figure


def _costs(study: Study, contexts: pd.DataFrame) -> pd.Series[float]:
    """How far each context is from no effect, above 0 where the treatment is worse; NaN where ranks decide."""
    effect = contexts["effect"].where(contexts["test"] == "mean")
    scaled = np.log(effect) if study.outcome.is_ratio else effect
    return pd.Series(study.outcome.cost(scaled.to_numpy(np.float64)), contexts.index)


def _text(study: Study, row: Mapping[Any, Any]) -> str:
    """The effect and the verdict; where ranks decide, the verdict alone, since they are over other pairs."""
    if row["test"] != "mean":
        return f"{row['verdict']}\n(by ranks)"
    if np.isnan(row["effect"]):
        return str(row["verdict"])
    return f"{effects.plain(study.outcome, row['effect'])}{' ×' if study.outcome.is_ratio else ''}\n{row['verdict']}"


def _across(study: Study) -> str:
    """The factor whose levels stand side by side: the batch size, or the last of those that have several."""
    varied = study.varied()
    return "batch_size" if "batch_size" in varied else varied[-1]
