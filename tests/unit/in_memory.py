"""Pairs of two arms as arrays, without a table on disk: what the judge's modules are handed."""

import numpy as np
import pandas as pd

from bnbench.epochs import evaluated_epochs
from bnbench.judging import stats
from bnbench.judging.pairing import Pairs
from bnbench.store.trials import Trials
from bnbench.vocabulary import GAP, LOSSES


def pairs(study, baseline, treated, seconds=(1.0, 1.0)):
    """The pairs of the study's first context.

    Args:
        study: whose first two arms these are.
        baseline: outcome → [measured epochs, seeds], or [seeds] for one that is the same at all of them. Losses that
            are not named are those of the test points.
        treated: the same of the treatment.
        seconds: of each arm's trials, [seeds] or a number.
    """
    (context, settings), *_ = study.contexts()
    labels = study.arms[:2]
    arms = map(trials, [settings[label] for label in labels], (baseline, treated), seconds)
    return Pairs(context, labels, *arms)


def trials(setting, measured, seconds):
    epochs = np.array(evaluated_epochs(setting.spec["epochs"], setting.spec["evaluate_every"]))
    test = np.asarray(measured["test_loss"], float)
    seeds = test.shape[-1]
    named = dict.fromkeys(LOSSES, test) | measured
    losses = {name: np.broadcast_to(np.asarray(values, float), (len(epochs), seeds)) for name, values in named.items()}
    losses[GAP] = np.log(losses["test_loss"]) - np.log(losses["eval_loss"])
    facts = {
        "seconds": np.broadcast_to(seconds, seeds),
        "torch": "2.13.0",
        "device_name": "a processor",
        "arithmetic": "AVX2",
    }
    rows = pd.DataFrame(facts, index=pd.RangeIndex(seeds, name="seed"))
    return Trials(setting, rows, losses, dict.fromkeys(losses, epochs), {})


def worst_ranks(baseline, treatment):
    """Signed ranks of costs that were all measured, [pairs] each; NaN where a trial diverged."""
    arms = [np.nan_to_num(np.asarray(arm, float), nan=np.inf) for arm in (baseline, treatment)]
    return stats.signed_ranks(*((arm, arm) for arm in arms))
