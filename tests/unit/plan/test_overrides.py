"""What stands on the command line means the same to `bnbench` as it does to Snakemake, at any depth."""

import copy

import pytest
from snakemake.cli import parse_config
from snakemake.utils import update_config

from bnbench.plan import configfile

PAIRS = [
    "seeds=50",
    "seeds=050",
    "seeds=1e3",
    "seeds=",
    "seeds={first: 2, count: 4}",
    "study=two words",
    "study='quoted'",
    "batch_size=[full, 25]",
    "report={margin: 1.2, baseline: none}",
    "optimizer=[{name: adam, lr: 1e-3, amsgrad: true}, sgd]",
    "norm=[{name: batch, momentum: null}]",
]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_means_what_snakemake_takes_it_for(pair):
    assert configfile.parse_overrides([pair]) == configfile.typed(parse_config([pair]))


@pytest.mark.parametrize(
    "overrides",
    [
        {"seeds": 5},
        {"report": {"margin": 1.2}},
        {"report": {"margin": {"deep": 1}}},
        {"norm": ["batch"]},
        {"task": {"name": "sine"}},
        {"report": 5},
    ],
)
def test_overrides_are_merged_as_snakemake_merges_them(overrides):
    study = {"seeds": 4, "norm": ["none", "batch"], "report": {"margin": 1.1, "outcome": "eval_loss"}}
    expected = copy.deepcopy(study)
    update_config(expected, overrides)
    assert configfile.merged(study, overrides) == expected
