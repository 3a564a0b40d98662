"""Made-up counts of which class is taken for which, as rows of the collected predictions."""

import numpy as np
import pandas as pd
import synthetic

from bnbench.store import chunk_files


def frames(study, counts, **options):
    """The collected tables of a study; `counts` gives [classes, classes] of the labels of a setting and a seed.

    None where a trial has no counts.
    """
    found = synthetic.frames(study, **options)
    rows = []
    for setting in study.settings:
        for seed in study.seeds:
            matrix = counts(setting.labels, seed)
            if matrix is None:
                continue
            same = {**chunk_files.same(setting), "seed": seed, "x": np.nan}
            cells = np.argwhere(np.asarray(matrix) > 0)
            rows += [{**same, "y": y, "y_fit": fit, "points": matrix[y][fit]} for y, fit in cells.tolist()]
    return {**found, "predictions": pd.DataFrame(rows or {"seed": []})}


def drawn(labels, seed, classes=2, rates=(0.2, 0.1), points=50):
    """Points of each class, of which a share is taken for the next one: the first rate is that of the baseline."""
    treated = labels["norm"] != "none"
    draws = np.random.default_rng([seed, treated])
    wrong = draws.binomial(points, rates[treated], classes)
    matrix = np.diag(points - wrong)
    matrix[np.arange(classes), (np.arange(classes) + 1) % classes] += wrong
    return matrix.tolist()
