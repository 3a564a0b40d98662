"""What the figures say to who cannot see them."""

import pytest
import synthetic

from bnbench.wording import alt_texts, contents

BATCHES = {"batch_size": [5, 10, 20, 25, 50, 100], "optimizer": ["adam", "sgd", "rmsprop"], "seeds": 2}


def texts(compared, study, **options):
    found, verdicts = compared(study, **options)
    return {
        name: alt_texts.text(study, name, verdicts, found[contents.SOURCES[name]]) for name in contents.figures(study)
    }


def test_every_figure_is_told_in_numbers(compared):
    told = texts(compared, synthetic.plan(**synthetic.GRID), ratio=synthetic.arms(batch=4.0), noise=0.1)
    assert told["forest"].count("BN hurts") == 4
    assert "Over all 4 contexts together" in told["interactions"]
    assert "BN is better in 0 % of the pairs and no BN in 100 %" in told["profile"]
    assert "the test loss is lower with BN on 0 and without BN on 8 of 8 seeds" in told["pairs"]
    assert "weights 4." in told["decomposition"] or "weights 3.9" in told["decomposition"]
    assert "no BN, Adam at full batch: test loss from" in told["curves"]
    assert "epochs on" in told["differences"]
    assert "for all epochs and all comparisons together" in told["differences"]
    assert "train loss in evaluation mode" in told["modes"]
    assert "median absolute error up to" in told["fit"]
    assert all(text.endswith(f"The numbers are in {contents.SOURCES[name]}.csv.") for name, text in told.items())


def test_many_contexts_are_not_all_told(compared):
    told = texts(compared, synthetic.plan(**BATCHES))
    assert "6 more rows of this kind." in told["forest"]
    assert "24 more rows of this kind." in told["curves"]


@pytest.mark.parametrize(
    "options", [{"seeds": lambda labels: []}, {"diverged": lambda labels, seed: 0}], ids=["nothing trained", "diverged"]
)
def test_what_is_not_there_is_told_without_numbers(compared, options):
    for text in texts(compared, synthetic.plan(**synthetic.GRID), **options).values():
        assert "nan" not in text
