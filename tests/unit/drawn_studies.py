"""Studies of every shape that figures are drawn for: changes of the plan, and what its made-up results are."""

GRID = {"batch_size": ["full", 25], "optimizer": [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.01}]}
TWO = {"batch_size": ["full", 25]}
STUDIES = {
    "a grid": (GRID, {}),
    "one context": ({}, {}),
    "three arms": ({**TWO, "norm": ["none", "batch", {"name": "batch", "momentum": 0.5}]}, {}),
    "optimizers compared": ({**GRID, "report": {"factor": "optimizer", "baseline": "adam"}}, {}),
    "batch sizes compared": ({**TWO, "report": {"factor": "batch_size", "baseline": "full"}}, {}),
    "two tasks": ({"task": ["sine", "mixture"], "batch_size": [16, 25]}, {}),
    "many inputs": ({"task": "diabetes"}, {}),
    "one seed": ({"seeds": 1}, {}),
    "some diverged": (TWO, {"diverged": lambda labels, seed: 3 if labels["norm"] == "batch" and seed < 2 else None}),
    "an arm diverged": (TWO, {"diverged": lambda labels, seed: 3 if labels["norm"] == "batch" else None}),
    "all diverged": (TWO, {"diverged": lambda labels, seed: 0}),
    "an arm missing": (TWO, {"seeds": lambda labels: [] if labels["norm"] == "batch" else None}),
    "nothing trained": (TWO, {"seeds": lambda labels: []}),
    "the outcome is the train loss": ({"report": {"outcome": "train_loss"}}, {}),
    "one finite pair": (TWO, {"diverged": lambda labels, seed: 3 if labels["batch_size"] == "25" and seed else None}),
    "a context missing": (TWO, {"seeds": lambda labels: [] if labels["batch_size"] == "25" else None}),
    "losses of 0": (TWO, {"loss": 1e-60}),
    "losses far apart": (TWO, {"ratio": lambda labels, seed: 1e30 if labels["norm"] == "batch" else 1e-5}),
    "three batch sizes": ({"batch_size": ["full", 2, 10]}, {}),
    "three contexts, some diverged": (
        {"batch_size": ["full", 2, 10]},
        {"diverged": lambda labels, seed: 3 if labels["norm"] == "batch" and seed < 4 else None},
    ),
    "three contexts, all diverged": ({"batch_size": ["full", 2, 10]}, {"diverged": lambda labels, seed: 0}),
    "three arms, one of which diverged": (
        {"norm": ["none", "batch", "layer"]},
        {"diverged": lambda labels, seed: 3 if labels["norm"] == "batch" else None},
    ),
    "three arms of three contexts, nothing trained": (
        {"norm": ["none", "batch", "layer"], "batch_size": ["full", 2, 10]},
        {"seeds": lambda labels: []},
    ),
}

FIVE_ARMS = {"norm": ["none", "batch", {"name": "ghost", "size": 5}, "layer", {"name": "frozen", "share": 0.5}]}
SIXTEEN = {
    "batch_size": ["full", 50, 25, 10],
    "optimizer": [{"name": name, "lr": 0.01} for name in ("adam", "sgd", "rmsprop", "adagrad")],
}


def exploding(labels, seed):
    """The ratio of the loss of an arm to that of the baseline: one arm explodes in one context."""
    if labels["norm"] == "layer" and labels["batch_size"] == "full" and labels["optimizer"].startswith("sgd"):
        return 1e11
    return {"batch": 3.0, "layer": 1.0}.get(labels["norm"], 0.4)


def diverging(labels, seed):
    """The epoch from which on a trial is not finite: one arm diverges in one context."""
    return 2 if labels["norm"].startswith("frozen") and labels["batch_size"] == "10" else None


LARGE = {
    "five arms in sixteen contexts": ({**FIVE_ARMS, **SIXTEEN}, {"ratio": exploding, "diverged": diverging}),
    "64 contexts": (
        {**SIXTEEN, "hidden": [[4], [8], [4, 4], [8, 8]]},
        {"ratio": lambda labels, seed: 3.0 if labels["norm"] == "batch" else 1.0},
    ),
}
