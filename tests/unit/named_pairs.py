"""Studies of three arms: with a pair that the config names, without one, and with rates that are tuned."""

import synthetic
from synthetic import arms

NORMS = {"norm": ["none", "batch", "layer"], "batch_size": ["full", 25]}
PAIR = ("batch", "layer")
PLAIN = synthetic.plan(**NORMS)
NAMED = synthetic.plan(**NORMS, report={"compare": [[*PAIR]]})
TUNED = synthetic.plan(
    **{**NORMS, "batch_size": ["full"]},
    optimizer=[{"name": "adam", "lr": [0.001, 0.01]}],
    tune={"validation": 0.25},
    report={"compare": [[*PAIR]]},
    claims=[{"words": "BN <helps>", "source": "A & B", "predicts": "helps", "in": "tuned"}],
)
KNOWN = {"ratio": arms(batch=2.0, layer=0.5), "noise": 0.1}


def by_rate(labels, seed):
    """BN is best at the higher rate, the others at the lower; there BN is best of all."""
    high = labels["optimizer"] == "adam lr=0.01"
    return {"none": 1.0, "layer": 0.8, "batch": 0.5}[labels["norm"]] * (
        1.0 if high == (labels["norm"] == "batch") else 6
    )
