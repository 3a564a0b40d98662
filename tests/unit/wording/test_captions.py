"""What captions say of a study as a whole."""

import synthetic

from bnbench.wording import captions


def test_facts_of_one_context_do_not_speak_of_several():
    one, four = (captions.facts(synthetic.plan(**grid)) for grid in ({}, synthetic.GRID))
    assert (one["together"], one["contexts"]) == ("", "1 context")
    assert four["together"] == " for all 4 comparisons together"
    assert (one["baseline"], one["treatment"], one["loss"]) == ("no BN", "BN", "test loss")
    assert (one["level"], one["narrow"], one["seeds"]) == ("95 %", "90 %", "8 seeds")
    assert one["window"] == "over the last 5 % of the measured epochs"
    last = captions.facts(synthetic.plan(report={"window": 0, "alpha": 0.01, "margin": 1.1}))
    assert (last["window"], last["level"], last["narrow"]) == ("at the last epoch", "99 %", "98 %")
    assert (last["alpha"], last["margin"]) == ("0.01", "1.1")
    three = captions.facts(synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}]))
    assert (three["treatment"], three["together"]) == ("the arm", " for all 2 comparisons together")
