"""Whether as many runs as there are can decide anything: what is said is what the tests can do."""

import own_tables as tables
import pytest
from own_tables import grid, measured

from bnbench import forecast
from bnbench.judging import permutations, sign_flips
from bnbench.wording import deciding


def study(seeds, dropped=(), **said):
    """Two arms, of which the second lacks some seeds."""
    columns = measured(grid(norm=["none", "batch"], lr=[1, 2], seed=range(seeds)), "val_loss")
    kept = [place for place, row in enumerate(zip(columns["norm"], columns["seed"], strict=True))
            if row not in {("batch", seed) for seed in dropped}]  # fmt: skip
    return tables.study({name: [values[place] for place in kept] for name, values in columns.items()}, **said)


@pytest.mark.parametrize(("seeds", "dropped", "pairs"), [(5, (), 5), (6, (), 6), (8, (0, 1, 2), 5), (9, (0, 1, 2), 6)])
def test_pairs_are_counted_and_not_seeds(seeds, dropped, pairs):
    planned = study(seeds, dropped)
    assert deciding.pairs(planned) == pairs
    assert bool(forecast.warning(planned)) == (not sign_flips.can_decide(pairs, 0.05))
    if pairs < 6:
        assert f"{pairs} seeds can never show a difference in any of 2 contexts" in forecast.warning(planned)


@pytest.mark.parametrize(("seeds", "dropped"), [(3, ()), (4, ()), (4, (0, 1)), (5, (0, 1, 2)), (6, (0, 1, 2))])
def test_groups_are_warned_of_where_no_permutation_can_decide(seeds, dropped):
    planned = study(seeds, dropped, unpaired=True)
    second = seeds - len(dropped)
    smallest = permutations.smallest_p(seeds, second)
    assert bool(forecast.warning(planned)) == (not permutations.can_decide(seeds, second, 0.05))
    if forecast.warning(planned):
        said = f"warning: {seeds} and {second} runs can never show a difference in any of 2 contexts at alpha 0.05: "
        assert forecast.warning(planned) == f"{said}the smallest p that they allow is {smallest:.4g}"


def test_a_plan_of_results_says_that_nothing_is_trained_and_how_small_p_can_be(tmp_path):
    said = {line[:12].strip(): line[12:] for line in forecast.describe(study(8), tmp_path).splitlines()}
    assert said["study"] == (
        "runs: 32 runs (2 levels of norm, 2 levels of lr, 8 seeds) in a frame in Python, judged in 2 contexts"
    )
    assert said["to train"] == "nothing: the results are there"
    assert said["family"] == "2 contexts, judged together at alpha 0.05"
    assert said["smallest p"] == "0.0078, with 8 pairs"
    assert said["can decide"] == "a difference from 6 seeds on; the study has 8"
    assert said["can see"].startswith("a mean log ratio of 1.3")
    assert "CPU time" not in said


def test_a_plan_of_unpaired_results_speaks_of_runs(tmp_path):
    said = {
        line[:12].strip(): line[12:] for line in forecast.describe(study(5, (0,), unpaired=True), tmp_path).splitlines()
    }
    assert said["smallest p"] == f"{1 / 126:.2g}, with 5 and 4 runs in the two arms"
    assert not {"can decide", "can see"} & set(said)


def test_no_p_is_smaller_than_random_flips_allow():
    assert deciding.smallest_p(study(30)).startswith(f"{sign_flips.smallest_p(30, sign_flips.draws(0.05)):.2g},")
