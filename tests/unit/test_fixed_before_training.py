"""From training to the page: what was fixed before training is called so, and nothing else is."""

import json
import re
import shutil

import pytest
import stores
import synthetic

from bnbench import cli, plot, train
from bnbench.plan import cost
from bnbench.plan.chunks import all_chunks
from bnbench.plan.preregistration import plan_of
from bnbench.store import handed, preregistration, tables
from bnbench.wording import contents
from bnbench.wording.preregistration import FIXED, UNKNOWN

TRAIN_LOSS = {"report": {"outcome": "train_loss"}}
CHANGED = "The outcome was test loss when training began, and was changed to train loss after all 8 seeds were trained."


def claims_to_be_fixed(text):
    """Whether a text says that anything was fixed before training, and not only that this is not known."""
    said = re.sub(r"not known whether this was fixed before training", "", text, flags=re.IGNORECASE)
    return bool(re.search(r"fixed before|before the run|in advance|preregister", said, re.IGNORECASE))


def planned(study, results):
    """Record the plan of `study`, as its training jobs do when they begin."""
    for setting in study.settings:
        preregistration.keep(plan_of(study), setting, results)


def trained(study, results):
    for chunk in all_chunks(study, cost.seeds_per_job):
        train.run(chunk, results, 1, plan=plan_of(study))


def blank_figures(study, out):
    """Pictures of nothing, in no time."""
    (out / "figures").mkdir(exist_ok=True)
    for name in contents.figures(study):
        (out / "figures" / f"{name}.svg").write_text("<svg><defs></defs></svg>")


@pytest.fixture
def pages(tmp_path, rebuilt, monkeypatch):
    """Rebuild a study on the results in `tmp_path`: its verdicts, and its page as a reader sees it."""
    monkeypatch.setattr(plot, "run", blank_figures)

    def made(study):
        status, said, text = rebuilt(study)
        assert status == 0, said.err
        return tables.read_json(tmp_path / "reports" / study.name / "verdicts.json"), text

    return made


def test_what_a_record_shows_is_said_on_the_page_and_in_the_methods(pages, tmp_path):
    study = synthetic.plan(**stores.PLAN)
    planned(study, tmp_path / "results")
    stores.stored(tmp_path, study)
    verdicts, text = pages(study)
    assert verdicts["preregistration"] | {"sentence": "", "note": ""} == {
        "settings": 2, "fixed": 2, "unknown": 0, "others": 0, "changes": [], "sentence": "", "note": "",
    }  # fmt: skip
    assert FIXED in verdicts["methods"]
    assert text.count(FIXED) == 2


def test_without_a_record_nothing_is_called_fixed(pages, tmp_path):
    study = synthetic.plan(**stores.PLAN)
    stores.stored(tmp_path, study)
    verdicts, text = pages(study)
    assert UNKNOWN in verdicts["methods"]
    assert text.count(UNKNOWN) == 2
    assert not claims_to_be_fixed(text)
    assert not claims_to_be_fixed((tmp_path / "reports" / study.name / "landing.rst").read_text(encoding="utf-8"))


def test_results_that_are_copied_without_their_records_are_not_called_fixed(pages, tmp_path):
    study = synthetic.plan(**stores.PLAN)
    planned(study, tmp_path / "results")
    stores.stored(tmp_path, study)
    shutil.rmtree(tmp_path / "results" / preregistration.FOLDER)
    assert not claims_to_be_fixed(pages(study)[1])


def test_a_study_that_is_rebuilt_with_another_outcome_says_so_beside_the_headline(pages, tmp_path):
    study = synthetic.plan(**stores.PLAN)
    planned(study, tmp_path / "results")
    stores.stored(tmp_path, study)
    verdicts, text = pages(synthetic.plan(**stores.PLAN, **TRAIN_LOSS))
    assert verdicts["preregistration"]["note"] == verdicts["preregistration"]["sentence"] == CHANGED
    assert CHANGED in verdicts["methods"]
    assert text.count(CHANGED) == 3
    beside, contexts = text.index(CHANGED), text.rindex("What each context says")  # first among the contents
    assert text.index(verdicts["headline"]) < beside < contexts
    assert not claims_to_be_fixed(text)
    # Nothing was trained, so nothing was recorded, and the first plan is as it was.
    assert FIXED in pages(study)[1]


def test_a_study_that_is_extended_says_how_many_seeds_were_seen(pages, tmp_path):
    small = {"epochs": 4, "evaluate_every": 2, "hidden": [2], "seeds_per_job": {"cpu": 2}}
    for seeds in (2, 4, 6):
        trained(synthetic.plan(**small, seeds=seeds), tmp_path / "results")
    six = synthetic.plan(**small, seeds=6)
    said = "2 seeds were planned when training began; 4 after 2 were seen; 6 after 4 were seen."
    verdicts, text = pages(six)
    assert said in verdicts["methods"]
    assert said in text
    assert not claims_to_be_fixed(text)
    trained(six, tmp_path / "results")
    assert pages(six)[0] == verdicts


def test_a_study_that_is_trained_anew_under_another_outcome_is_the_same_change(pages, tmp_path):
    small = {"epochs": 4, "evaluate_every": 2, "hidden": [2], "seeds": 8, "seeds_per_job": {"cpu": 8}}
    trained(synthetic.plan(**small), tmp_path / "results")
    other = synthetic.plan(**small, **TRAIN_LOSS)
    trained(other, tmp_path / "results")  # all is there already
    verdicts, text = pages(other)
    assert verdicts["preregistration"]["sentence"] == CHANGED
    assert not claims_to_be_fixed(text)


def test_the_collected_tables_alone_are_enough_to_compare_again(pages, rebuilt, tmp_path):
    study = synthetic.plan(**stores.PLAN)
    planned(study, tmp_path / "results")
    stores.stored(tmp_path, study)
    pages(study)
    shutil.rmtree(tmp_path / "results")
    other = synthetic.plan(**stores.PLAN, **TRAIN_LOSS)
    for verb in ("compare", "plot", "report"):
        status, said, text = rebuilt(other, verb)
        assert status == 0, said.err
    assert text.count(CHANGED) == 3


def test_tables_that_were_collected_by_an_earlier_version_are_compared_too(pages, rebuilt, tmp_path):
    study = synthetic.plan(**stores.PLAN)
    stores.stored(tmp_path, study)
    pages(study)
    (tmp_path / "reports" / study.name / "data" / preregistration.COLLECTED).unlink()
    status, said, _ = rebuilt(study, "compare")
    assert status == 0, said.err
    text = rebuilt(study, "report")[2]
    assert UNKNOWN in text
    assert not claims_to_be_fixed(text)


def test_the_page_of_the_claims_says_it_of_each_study(pages, tmp_path):
    claim = {"words": "BN hurts", "source": "a paper", "predicts": "hurts"}
    study = synthetic.plan(**stores.PLAN, claims=[claim])
    stores.stored(tmp_path, study)
    command = ["claims", str(tmp_path / "study.yaml"), "--reports", str(tmp_path / "reports")]
    pages(study)
    assert cli.main(command) == 0
    text = stores.text_of(tmp_path / "reports" / "claims" / "index.html")
    assert f"synthetic: {UNKNOWN}" in text
    assert not claims_to_be_fixed(text)
    shutil.rmtree(tmp_path / "results")
    planned(synthetic.plan(**stores.PLAN), tmp_path / "results")
    stores.stored(tmp_path, study)
    pages(study)
    assert cli.main(command) == 0
    said = "synthetic: The claims were changed after all 8 seeds were trained."
    assert said in stores.text_of(tmp_path / "reports" / "claims" / "index.html")


def test_the_rules_hand_the_plan_to_each_training_job():
    study = synthetic.plan()
    assert json.loads(handed.text(study))["plan"] == plan_of(study)


def test_a_partial_study_is_as_fixed_as_a_whole_one(pages, tmp_path):
    study = synthetic.plan(**stores.PLAN)
    planned(study, tmp_path / "results")
    stores.stored(tmp_path, study)
    for path in stores.paths(tmp_path / "results", study).values():
        path.unlink()
    verdicts, text = pages(study)
    assert FIXED in text
    assert verdicts["preregistration"]["fixed"] == 2
    other = pages(synthetic.plan(**stores.PLAN, **TRAIN_LOSS))[0]
    assert other["preregistration"]["sentence"].endswith("was changed to train loss after 4 to 8 seeds were trained.")
