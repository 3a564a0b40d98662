"""Which column is taken for what, in tables as people have them."""

import numpy as np
import own_tables as tables
import pytest
from own_tables import grid, measured

from bnbench.errors import UserError

ARMS = {"norm": ["none", "batch"]}
drawn = np.random.default_rng(0)


def said_of(columns, **said):
    """Compared, held fixed, outcome, seed and epoch."""
    found = tables.facts(columns, **said)
    compared, *held = (each["column"] for each in found["factors"])
    return compared, held, found["outcomes"][0]["column"], found["seed"]["column"], found["epoch"]["column"]


def numbers(rows, *choices):
    return [float(each) for each in drawn.choice(choices, rows)]


def refused(columns, **said):
    with pytest.raises(UserError) as error:
        tables.read(columns, **said)
    assert "\n" not in str(error.value)
    return str(error.value)


def lightning():
    columns = measured(grid(**ARMS, seed=range(4), epoch=range(5)), "train_loss_epoch", "val_loss")
    rates = [1e-3 if epoch < 3 else 1e-4 for epoch in columns["epoch"]]
    return {**columns, "step": [100 * epoch + 99 for epoch in columns["epoch"]], "lr-Adam": rates}


def tracked():
    columns = grid(**{"config.norm": ["none", "bn"], "config.lr": [0.1, 0.01], "config.seed": range(5)})
    rows = len(columns["config.lr"])
    return {
        "Name": [f"run-{place}" for place in range(rows)],
        "State": ["finished", "crashed"] * (rows // 2),
        "Created": [f"2024-01-{place + 1:02d}T10:00:00Z" for place in range(rows)],
        "Runtime": [float(100 + 7 * place % 90) for place in range(rows)],
        **columns,
        "config.batch_size": [32] * rows,
        "summary._step": numbers(rows, *range(90, 99)),
        "summary.epoch": numbers(rows, *range(90, 99)),
        "gpu_name": [str(each) for each in drawn.choice(["A100", "V100"], rows)],
        **measured({"x": range(rows)}, "summary.val_loss"),
    }


def keras():
    columns = measured(grid(**ARMS, seed=range(4), epoch=range(10)), "loss", "accuracy", "val_loss")
    return {**columns, "lr": [0.1 if epoch < 4 else 0.01 if epoch < 7 else 0.001 for epoch in columns["epoch"]]}


def of_agents():
    """Runs of reinforcement learning, each with steps of its own."""
    rows = {name: [] for name in ("algo", "env_id", "lr", "seed", "total_timesteps", "wall_time", "episodic_return")}
    for algo, env, lr, seed in zip(
        *grid(a=["ppo", "sac"], b=["x", "y"], c=[0.1, 0.2], d=range(3)).values(), strict=True
    ):
        for step in drawn.integers(50, 300, 40).cumsum():
            row = (algo, env, lr, seed, float(step), 1e9 + step, float(drawn.normal()))
            for name, cell in zip(rows, row, strict=True):
                rows[name].append(cell)
    return rows


def stopped_early():
    columns = measured(grid(**ARMS, lr=[0.1, 0.01], seed=range(6)), "test_loss")
    rows = len(columns["lr"])
    return {
        **columns,
        "epoch": numbers(rows, *range(20, 60)),
        "best_epoch": numbers(rows, 1, 2, 3),
        "n_params": [1000.0 if norm == "none" else 1100.0 for norm in columns["norm"]],
    }


def of_trainer():
    columns = measured(grid(**ARMS, seed=range(4), step=range(0, 500, 100)), "eval_loss")
    rates = [1e-4 * (1 - step / 500) for step in columns["step"]]
    return {**columns, "epoch": [step / 250 for step in columns["step"]], "learning_rate": rates}


def other_seeds():
    """The seeds of one context are not those of the other."""
    columns = measured(grid(**ARMS, seed=range(20)), "val_loss")
    return {**columns, "batch_size": [16 if seed < 10 else 32 for seed in columns["seed"]]}


def nuisances():
    columns = measured(grid(**ARMS, dataset=["A", "B"], seed=range(12)), "val_loss")
    rows = len(columns["seed"])
    return {
        **columns,
        "machine_name": [str(each) for each in drawn.choice(["a", "b"], rows)],
        "acc": [float(each) / 100 for each in drawn.integers(80, 90, rows)],
        "foo": numbers(rows, 0, 1, 2),
    }


def rounded():
    """What was measured at every epoch, in few numbers, and a rate under a schedule."""
    columns = measured(grid(**ARMS, lr=[0.1, 0.01], seed=range(6), epoch=range(20)), "val_loss")
    rows = len(columns["seed"])
    return {**columns, "foo": numbers(rows, *range(5)), "schedule": [1.0 if e < 10 else 0.1 for e in columns["epoch"]]}


GAMES = grid(agent=["dqn", "der"], game=[f"g{place}" for place in range(26)], run=range(5))
FOLDS = grid(clf=["svm", "rf"], dataset=["iris", "wine"], fold=range(10))
PAPER = grid(dataset=[f"D{place}" for place in range(12)], method=["base", "ours"])
SWEEP = grid(**{"model.norm": ["none", "batch"], "optim.lr": [0.1, 0.01], "data": ["mnist", "cifar"], "seed": range(4)})
OPTUNA = {**grid(params_norm=["none", "batch"], params_seed=range(6)), "number": range(12)}


@pytest.mark.parametrize(
    ("columns", "said", "expected"),
    [
        (measured(grid(**ARMS, seed=range(8)), "val_loss"), {}, ("norm", [], "val_loss", "seed", None)),
        (lightning(), {"outcome": "val_loss"}, ("norm", [], "val_loss", "seed", "epoch")),
        (tracked(), {}, ("config.norm", ["config.lr"], "summary.val_loss", "config.seed", None)),
        (keras(), {"outcome": "val_loss"}, ("norm", [], "val_loss", "seed", "epoch")),
        (of_agents(), {"baseline": "ppo"}, ("algo", ["env_id", "lr"], "episodic_return", "seed", "total_timesteps")),
        (stopped_early(), {}, ("norm", ["lr"], "test_loss", "seed", None)),
        (of_trainer(), {}, ("norm", [], "eval_loss", "seed", "step")),
        (other_seeds(), {}, ("norm", ["batch_size"], "val_loss", "seed", None)),
        (nuisances(), {"factor": "norm", "outcome": "acc"}, ("norm", ["dataset"], "acc", "seed", None)),
        (rounded(), {}, ("norm", ["lr"], "val_loss", "seed", "epoch")),
        (measured(SWEEP, "acc"), {}, ("model.norm", ["data", "optim.lr"], "acc", "seed", None)),
        (measured(GAMES, "score"), {"seed": "run", "baseline": "dqn"}, ("agent", ["game"], "score", "run", None)),
        (measured(FOLDS, "acc"), {"factor": "clf", "baseline": "rf"}, ("clf", ["dataset"], "acc", "fold", None)),
        (measured(PAPER, "score"), {"seed": "dataset", "baseline": "base"}, ("method", [], "score", "dataset", None)),
        (
            measured(OPTUNA, "value"),
            {"better": "higher", "outcome": "value"},
            ("params_norm", [], "value", "params_seed", None),
        ),
        (
            measured(grid(use_bn=["True", "False"], lr=[0.1, 0.01], seed=range(5)), "test_err"),
            {},
            ("use_bn", ["lr"], "test_err", "seed", None),
        ),
        (
            measured(grid(dropout=[0, 0.5], seed=range(8)), "val_loss"),
            {"factor": "dropout"},
            ("dropout", [], "val_loss", "seed", None),
        ),
    ],
    ids=[
        *("simple", "lightning", "tracker", "keras", "agents", "stopped early", "trainer", "seeds of a context"),
        *("nuisances", "rounded", "sweep", "games", "folds", "paper", "optuna", "flags", "numbers"),
    ],
)
def test_roles_are_found_in_tables_as_people_have_them(columns, said, expected):
    assert said_of(columns, **said) == expected


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            measured(PAPER, "score"),
            "which column is the seed, by which runs are paired? allowed: --seed with one of dataset, method; or "
            "--unpaired, if the arms share no seeds",
        ),
        (measured(FOLDS, "acc"), "which column is compared? allowed: --factor with one of clf, dataset"),
        (
            measured(grid(**ARMS, seed=range(6)), "train_loss", "val_loss"),
            "which outcome decides? allowed: --outcome with one of train_loss, val_loss",
        ),
        (
            measured(OPTUNA, "value", "user_attrs_x"),
            "which outcome decides? allowed: --outcome with one of value, user_attrs_x",
        ),
        (measured(grid(dropout=[0, 0.5], seed=range(8)), "val_loss"), "allowed: --factor with one of dropout"),
        (
            {**measured(grid(**ARMS, seed=range(6)), "val_loss"), "norm": ["none"] * 12},
            "column norm: found one level, none, allowed: two, to compare",
        ),
        (
            {**grid(**ARMS, seed=range(6)), "val_loss": [0.5] * 12},
            "column val_loss: found 0.5 in every row, allowed: one that varies",
        ),
        (grid(**ARMS, seed=range(4), note=["a"]), "found no column of numbers that could be an outcome"),
        (
            measured(grid(**ARMS, seed=range(4), metric=["loss", "acc"]), "value"),
            "found a row for each metric ('metric': acc, loss), allowed: a column for each; pivot the table",
        ),
        (
            {**measured(grid(**ARMS, x=range(4)), "val_loss"), "seed": [42] * 8},
            "column seed: found one seed, 42, in all rows, allowed: at least two",
        ),
    ],
)
def test_what_is_not_said_by_the_table_is_asked_for(columns, message):
    assert message in refused(columns)


SIMPLE = measured(grid(**ARMS, lr=[0.1, 0.2], seed=range(6)), "val_loss")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"factor": "nrom"}, "--factor: found no column 'nrom' (did you mean 'norm'?), allowed: one of norm, lr, seed"),
        ({"outcome": "valloss"}, "--outcome: found no column 'valloss' (did you mean 'val_loss'?)"),
        ({"seed": "Seeds"}, "--seed: found no column 'Seeds' (did you mean 'seed'?)"),
        ({"epoch": "e"}, "--epoch: found no column 'e', allowed: one of norm, lr, seed, val_loss"),
        ({"contexts": ["lr", "LR2"]}, "--context: found no column 'LR2'"),
        ({"factor": "norm", "contexts": ["norm"]}, "found the column 'norm' twice (--factor and --context)"),
        ({"seed": "seed", "epoch": "seed"}, "found the column 'seed' twice (--seed and --epoch)"),
        ({"factor": "val_loss", "outcome": "val_loss"}, "twice (--factor and --outcome), allowed: one role each"),
        (
            {"contexts": ["lr", "seed"]},
            "which column is the seed, by which runs are paired? allowed: --seed with one of",
        ),
        ({"contexts": ["lr", "lr"]}, "found the column 'lr' twice (--context), allowed: one role each"),
    ],
)
def test_a_column_that_is_named_wrongly_is_refused(said, message):
    assert refused(SIMPLE, **said).startswith("runs.csv: ")
    assert message in refused(SIMPLE, **said)


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        ("date", "--factor: found dates or times in 'date' (2024-01-01), allowed: a factor"),
        ("id", "--factor: found 500 levels of 'id', allowed: 50 at most; is it an id, or something that was measured?"),
    ],
)
def test_a_date_or_an_id_that_is_named_as_a_factor_is_refused_with_a_hint(factor, message):
    columns = measured(grid(**ARMS, seed=range(250)), "val_loss")
    columns |= {"id": [f"run{place}" for place in range(500)], "date": ["2024-01-01", "2024-01-02"] * 250}
    assert message in refused(columns, factor=factor)


def test_dates_ids_and_what_is_the_same_everywhere_are_told():
    columns = measured(grid(**ARMS, seed=range(8)), "val_loss")
    rows = len(columns["seed"])
    columns |= {
        "run_id": [f"{place:x}f" for place in range(rows)],
        "day": ["2024-01-02", "2024-01-03"] * (rows // 2),
        "took": [f"0:{place:02d}:10" for place in range(rows)],
        "state": ["finished"] * rows,
        "width": [256] * rows,
        "nothing": [None] * rows,
        "sometimes": ["a", "b", None, "a"] * (rows // 4),
        "gpu_name": ["A", "B", "B"] * (rows // 3) + ["A"],
        "n_params": [10 if norm == "none" else 12 for norm in columns["norm"]],
    }
    assert tables.aside(columns, factor="norm") == {
        "run_id": "an id",
        "day": "a date",
        "took": "a date",
        "state": "of the tracker",
        "width": "the same everywhere",
        "nothing": "empty",
        "sometimes": "incomplete",
        "gpu_name": "differs within the pairs",
        "n_params": "follows the arms",
    }


def test_contexts_that_are_named_are_the_only_ones():
    assert tables.held(SIMPLE) == ["lr"]
    one = {name: cells[:6] + cells[12:18] for name, cells in SIMPLE.items()}
    assert tables.held(one, contexts=[]) == []
    assert tables.held(SIMPLE, contexts=["lr"], factor="norm") == ["lr"]
    assert "found several values of val_loss of one run" in refused(SIMPLE, contexts=[])


def test_what_a_reader_knows_to_be_a_factor_may_have_many_levels_and_is_no_outcome():
    columns = measured(grid(**ARMS, loss_weight=range(40), seed=range(3)), "val_loss")
    assert tables.aside(columns, duplicates="mean") == {"loss_weight": "no known side"}
    assert tables.held(columns, factors=["loss_weight"]) == ["loss_weight"]


def test_of_two_columns_that_say_the_same_one_is_held_fixed():
    columns = {**SIMPLE, "rate": ["high" if lr == 0.2 else "low" for lr in SIMPLE["lr"]]}
    assert tables.held(columns, factor="norm") == ["rate"]
    assert tables.aside(columns, factor="norm") == {"lr": "follows another column"}


def test_a_second_seed_is_no_context():
    columns = {**SIMPLE, "data_seed": [seed + 1 for seed in SIMPLE["seed"]]}
    assert tables.aside(columns) == {"data_seed": "changes with the seed"}


@pytest.mark.parametrize("name", ["lr", "norm", "task"])
def test_runs_that_are_not_paired_keep_their_contexts(name):
    columns = grid(arm=["a", "b"], **{name: ["x", "y"]})
    columns = measured({key: cells * 5 for key, cells in columns.items()}, "val_loss", "foo")
    assert tables.held(columns, factor="arm", unpaired=True, baseline="a", outcome="val_loss") == [name]


def test_what_is_made_of_outcomes_and_what_has_no_known_side_is_told():
    columns = measured(SIMPLE, "std_val_loss", "foo", "rank_test_score", "val_acc")
    columns["job"] = [float(place) for place in range(24)]
    columns["epoch"] = [float(30 + 7 * place % 11) for place in range(24)]
    assert tables.aside(columns, outcome="val_loss") == {
        "std_val_loss": "a spread, a count or a rank",
        "rank_test_score": "a spread, a count or a rank",
        "foo": "no known side",
        "epoch": "no known side",
        "job": "an id",
    }


def test_what_was_measured_makes_no_column_of_the_design_seem_superfluous():
    columns = measured(grid(**ARMS, zone=["x", "y"], seed=range(10)), "val_loss")
    rows = len(columns["seed"])
    columns["computer"] = [f"node{place}" for place in drawn.integers(0, 9, rows)]
    columns["best"] = numbers(rows, *range(8))
    assert tables.held(columns, factor="norm", outcome="val_loss") == ["zone"]
