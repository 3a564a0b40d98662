"""Seeds in the names of columns and of runs."""

import pytest

from bnbench.own_results.seeds import is_seed, split


@pytest.mark.parametrize(
    "name", ["seed", "Seed", "random_seed", "data.seed", "trainer/seed", "rng_seed", "seed_everything"]
)
def test_a_column_of_seeds_is_known_by_its_name(name):
    assert is_seed(name)


@pytest.mark.parametrize("name", ["seeds", "seedling", "reseeded", "norm", "linseed", "seed_count"])
def test_other_columns_are_not_taken_for_seeds(name):
    assert not is_seed(name)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["bn-seed3", "none-seed3"], [("bn", "3"), ("none", "3")]),
        (["bn_s0", "none_s12"], [("bn", "0"), ("none", "12")]),
        (["bn_3", "bn_4", "none_3"], [("bn", "3"), ("bn", "4"), ("none", "3")]),
        (["layer norm, seed=01", "bn, seed=02"], [("layer norm", "1"), ("bn", "2")]),
    ],
)
def test_names_that_all_end_in_a_seed_are_split(names, expected):
    assert split(names) == dict(zip(names, expected, strict=True))


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["bn-seed3", "none"],
        ["resnet-18", "resnet-34"],
        ["resnet-18", "vgg-16"],
        ["giddy-sun-12", "fluent-river-13"],
        ["bn-seed1", "bn-seed01"],
        ["bn3", "none3"],
    ],
)
def test_other_names_stay_whole(names):
    assert split(names) is None
