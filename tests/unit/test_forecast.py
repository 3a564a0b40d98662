"""What is said before a run: warnings, costs, and the smallest effect that is likely to be seen."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import synthetic
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from prose import assert_states, cases
from statsmodels.stats.power import TTestPower

from bnbench import cli, forecast
from bnbench.judging import power, sign_flips, verdicts
from bnbench.plan.modular_cost import Probe
from bnbench.store import probes, tables, timings
from bnbench.wording import formats

pytestmark = pytest.mark.filterwarnings("error")

GRID = synthetic.GRID
TUNED = {"optimizer": [{"name": "adam", "lr": [0.001, 0.01, 0.1]}], "batch_size": ["full", 25], "tune": {}}
"""Six contexts at equal rates, of which two decide."""
THREE = {"norm": ["none", "batch", "layer"]}
EIGHT = {"optimizer": [{"name": "sgd", "lr": rate / 100} for rate in range(1, 9)]}
"""Eight contexts."""
SECONDS = forecast.cost.seconds
"""The cost model itself."""

quick = settings(max_examples=200, deadline=None, derandomize=True)
alphas = st.floats(1e-4, 0.49)


@pytest.fixture(autouse=True)
def a_second_for_forty_epochs(monkeypatch):
    """A cost model that is easily reckoned with."""
    monkeypatch.setattr(forecast.cost, "seconds", lambda spec, seeds, probe=None: seeds * spec["epochs"] / 40)
    monkeypatch.setattr(forecast.cost, "seconds_setting_up", lambda spec, seeds: 0.0)


@pytest.mark.parametrize(("alpha", "seeds"), [(0.05, 6), (0.01, 8), (0.1, 5), (0.001, 11), (0.49, 3)])
def test_seeds_to_decide_are_the_fewest_whose_smallest_p_is_below_alpha(alpha, seeds):
    assert forecast.seeds_to_decide(alpha) == seeds
    assert sign_flips.can_decide(seeds, alpha)
    assert not sign_flips.can_decide(seeds - 1, alpha)


@cases(
    one_context=({"seeds": 5}, ["5 seeds", "one context", "alpha 0.05", "2/2^5", "0.0625", "6 seeds can"]),
    one_seed=({"seeds": 1, **GRID}, ["1 seed ", "4 contexts", "alpha 0.05", "2/2^1", "is 1;", "6 seeds can"]),
    three_arms=(
        {"seeds": 5, "norm": ["none", "batch", {"name": "batch", "momentum": 0.5}]},
        ["5 seeds", "2 comparisons", "2/2^5", "is 0.0625", "6 seeds can"],
    ),
    tuned=({"seeds": 5, **TUNED}, ["5 seeds", "2 contexts at tuned", "2/2^5", "is 0.0625", "6 seeds can"]),
    tuned_with_three_arms=(
        {"seeds": 5, **TUNED, **THREE},
        ["5 seeds", "4 comparisons at tuned", "2/2^5", "is 0.0625", "6 seeds can"],
    ),
)
def test_too_few_seeds_are_warned_of_with_how_many_would_do(case, prose):
    changes, facts = case
    said = forecast.warning(synthetic.plan(**changes))
    assert_states(said, ["warning: ", *facts])
    assert said == prose


@pytest.mark.parametrize(
    "changes",
    [{"seeds": 6}, {"seeds": 6, **EIGHT}, {"seeds": 6, **THREE}, {"seeds": 6, **TUNED}, {"seeds": 6, **TUNED, **THREE}],
    ids=["one context", "eight contexts", "three arms", "tuned", "tuned with three arms"],
)
def test_enough_seeds_are_not_warned_of(changes):
    assert forecast.warning(synthetic.plan(**changes)) == ""


@pytest.mark.parametrize(("seeds", "missing", "decided"), [(5, 0, 0), (6, 0, 8), (6, 1, 7), (8, 1, 8)])
def test_what_the_warning_says_is_what_verdicts_do(seeds, missing, decided):
    study, random = synthetic.plan(seeds=seeds, **EIGHT), np.random.default_rng(0)

    def drawn(labels):
        without = missing if labels["optimizer"] == next(iter(study.levels["optimizer"])) else 0
        left = np.arange(without, seeds)
        return left, np.zeros(len(left)), 5 + random.normal(size=len(left))

    decided_rows = [decision.verdict for decision in verdicts.decide(study.report, synthetic.contrasts(study, drawn))]
    assert decided_rows.count("hurts") == decided
    assert bool(forecast.warning(study)) == (decided == 0)


@pytest.mark.parametrize(("arms", "seeds"), [({}, 5), ({}, 6), (THREE, 5), (THREE, 6)])
def test_what_the_warning_says_is_what_verdicts_at_tuned_rates_do(compared, arms, seeds):
    study = synthetic.plan(seeds=seeds, **TUNED, **arms)
    found, _ = compared(study, ratio=lambda labels, seed: 1.0 if labels["norm"] == "none" else 9.0, noise=0.01)
    assert set(found["tuned"]["verdict"]) == ({"undecided"} if forecast.warning(study) else {"hurts"})


@given(st.integers(17, 60), alphas)
@quick
def test_no_plan_promises_what_random_flips_make_impossible(seeds, alpha):
    if seeds >= forecast.seeds_to_decide(alpha):
        assert 1 / (sign_flips.draws(alpha) + 1) < alpha


def lines(study, results):
    return {line[:12].strip(): line[12:] for line in forecast.describe(study, results).splitlines()}


def names(said):
    return [line[:12].strip() for line in said.splitlines()]


def test_a_new_study_is_described_in_aligned_lines_that_end_in_the_warning(tmp_path, prose):
    study = synthetic.plan(seeds=5, device=["cpu", "cuda"], **GRID)
    said = forecast.describe(study, tmp_path)
    described = ["study", "to train", "CPU time", "GPU time", "wall time", "family", "can decide", "can see"]
    assert names(said)[:-1] == described
    assert said.endswith(f"\n{forecast.warning(study)}")
    assert_states(said, ["5 seeds", "80 trials in 16 jobs", "80 of 80", "about 40 s", "about 40 s", "8 contexts"])
    assert_states(said, ["from 6 seeds", "has 5", "nothing, however large", "warning: 5 seeds"])
    assert said == prose


def test_a_study_that_is_partly_there_is_described_with_its_time_and_the_ratio_that_it_can_see(tmp_path, prose):
    synthetic.stored(synthetic.plan(seeds=10), tmp_path, seconds=360.0, noise=0.5)
    said = forecast.describe(synthetic.plan(seeds=30), tmp_path)
    assert names(said) == [
        "study",
        "to train",
        "CPU time",
        "wall time",
        "family",
        "can decide",
        "can see",
        "as a ratio",
    ]
    assert_states(said, ["40 of 60 trials, in 4 jobs", "20 there", "about 4 h 0 min", "1 context", "6 seeds", "has 30"])
    assert_states(said, ["0.53", "80 %", "10 pairs"])
    assert said == prose


def test_the_family_of_a_study_that_tunes_is_that_of_its_verdicts(tmp_path):
    said = lines(synthetic.plan(seeds=8, **TUNED), tmp_path)
    assert said["family"] == "2 contexts at tuned learning rates, judged together at alpha 0.05"
    assert said["can decide"] == "a difference from 6 seeds on; the study has 8"
    assert_states(said["can see"], ["1.34", "80 %", "0.05/2"])
    said = lines(synthetic.plan(seeds=8, **TUNED, **THREE), tmp_path)
    assert said["family"] == "4 comparisons at tuned learning rates, judged together at alpha 0.05"
    assert said["can decide"] == "a difference from 6 seeds on; the study has 8"


def test_a_finished_study_has_no_costs(tmp_path):
    study = synthetic.plan(seeds=20)
    said = lines(study, synthetic.stored(study, tmp_path))
    assert said["to train"] == "nothing: every trial is there"
    assert not {"CPU time", "GPU time"} & set(said)


def test_a_setting_that_is_not_timed_is_scaled_by_its_arithmetic(tmp_path):
    synthetic.stored(synthetic.plan(seeds=10), tmp_path, seconds=1.0)
    longer = synthetic.plan(seeds=10, epochs=400)
    assert_states(lines(longer, tmp_path)["CPU time"], ["about 3 min 20 s", "2 of 2 settings"])
    more = synthetic.plan(seeds=10, batch_size=["full", 25])
    assert_states(lines(more, tmp_path)["CPU time"], ["about 20 s", "2 of 2 settings"])
    both = synthetic.plan(seeds=20, batch_size=["full", 25])
    assert_states(lines(both, tmp_path)["CPU time"], ["about 1 min 0 s", "2 of 4 settings"])


def test_the_median_setting_sets_the_pace(tmp_path):
    pace = {"full": 1.0, "50": 2.0, "10": 100.0}
    timed = synthetic.plan(seeds=10, batch_size=["full", 50, 10])
    synthetic.stored(timed, tmp_path, seconds=lambda labels, seed: pace[labels["batch_size"]])
    assert lines(synthetic.plan(seeds=10, batch_size=[25]), tmp_path)["CPU time"].startswith("about 40 s, for 2 of 2")


def test_the_median_trial_counts_and_all_threads_of_a_cpu_do(tmp_path):
    slow = synthetic.where("none", [0, 1], 1000.0, otherwise=2.0)
    synthetic.stored(synthetic.plan(seeds=10), tmp_path, threads=4, seconds=slow)
    assert lines(synthetic.plan(seeds=20), tmp_path)["CPU time"].startswith("about 2 min 40 s,")  # 20 × 2 s × 4


def test_the_time_of_one_kind_of_device_says_nothing_of_another(tmp_path):
    synthetic.stored(synthetic.plan(seeds=10), tmp_path, seconds=1.0)
    said = lines(synthetic.plan(seeds=20, device=["cpu", "cuda"]), tmp_path)
    assert_states(said["CPU time"], ["about 20 s", "earlier trials"])
    assert_states(said["GPU time"], ["about 40 s", "by prices measured on an NVIDIA H200: nothing has been timed here"])
    synthetic.stored(synthetic.plan(seeds=10, device=["cuda"]), tmp_path, seconds=0.5, threads=8)
    said = lines(synthetic.plan(seeds=512, device=["cuda"]), tmp_path)
    assert said["GPU time"].startswith("about 8 min 32 s,")  # 1,024 × 0.5 s, on one device whatever the threads


def test_a_job_sets_up_before_it_trains_however_fast_it_has_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(
        forecast.cost, "seconds_setting_up", lambda spec, seeds: seeds if spec["device"] == "cuda" else 0
    )
    study = synthetic.plan(seeds=10, device=["cuda"])  # 20 trials of a second, and a second more for each
    assert lines(study, tmp_path)["GPU time"].startswith("about 40 s,")
    synthetic.stored(study, tmp_path, seconds=2.0)
    more = lines(synthetic.plan(seeds=20, device=["cuda"]), tmp_path)  # 40 trials, in another job
    assert more["GPU time"].startswith("about 2 min 0 s,")


def test_seeds_that_other_chunks_hold_are_not_to_be_trained(tmp_path):
    synthetic.stored(synthetic.plan(seeds=30), tmp_path, seconds=1.0)
    said = lines(synthetic.plan(seeds=50, seeds_per_job={"cpu": 100}), tmp_path)
    assert said["to train"] == "40 of 100 trials, in 2 jobs; 60 there already"
    assert said["CPU time"].startswith("about 40 s, ")
    assert lines(synthetic.plan(seeds=30, seeds_per_job="auto"), tmp_path)["to train"].startswith("nothing")


def foreign(path, change):
    """Write the table at `path` anew, with its footer and its columns changed."""
    table, footer = change(tables.read_parquet(path), tables.footer(path))
    tables.write_parquet(path, table, footer)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"PAR1 and no more"),
        lambda path: foreign(path, lambda table, footer: (table.drop_columns(["seconds"]), footer)),
        lambda path: foreign(path, lambda table, footer: (table.drop_columns(["threads"]), footer)),
        lambda path: foreign(path, lambda table, footer: (table.drop_columns(["test_loss"]), footer)),
        lambda path: foreign(path, lambda table, footer: (table.slice(0, 0), footer)),
        lambda path: foreign(path, lambda table, footer: (table, None)),
        lambda path: foreign(path, lambda table, footer: (table, {**footer, "setting": {"epochs": 3}})),
        lambda path: foreign(path, lambda table, footer: (table, {**footer, "setting": "gone"})),
        lambda path: foreign(
            path, lambda table, footer: (table, {"setting": {**footer["setting"], "task": {"name": "of old"}}})
        ),
    ],
    ids=["corrupt", "no seconds", "no threads", "no loss", "no rows", "no footer", "half a setting", "text", "old"],
)
def test_an_estimate_does_without_what_it_cannot_use(tmp_path, spoil):
    synthetic.stored(synthetic.plan(seeds=10), tmp_path, seconds=3.0, noise=0.5)
    spoil(sorted((tmp_path / "trials").rglob("*.parquet"))[0])
    assert lines(synthetic.plan(seeds=20), tmp_path)["CPU time"].startswith("about 1 min 0 s, ")
    other = synthetic.plan(seeds=10, batch_size=[25])
    assert lines(other, tmp_path)["CPU time"].startswith("about 1 min 0 s, for 2 of 2 settings")


def test_files_that_cannot_be_read_do_not_hide_those_that_can(tmp_path):
    synthetic.stored(synthetic.plan(seeds=60), tmp_path, seconds=3.0)
    for folder in (tmp_path / "trials").iterdir():
        for path in sorted(folder.iterdir())[:4]:
            path.write_bytes(b"")
    assert lines(synthetic.plan(seeds=70), tmp_path)["CPU time"].startswith("about 1 min 0 s, from earlier trials of")


def test_few_files_of_a_setting_are_read_however_many_there_are(tmp_path, monkeypatch):
    synthetic.stored(synthetic.plan(seeds=200), tmp_path)
    read, asked = tables.read_parquet, []
    monkeypatch.setattr(tables, "read_parquet", lambda path, **options: asked.append(path) or read(path, **options))
    forecast.describe(synthetic.plan(seeds=400, batch_size=["full", 25]), tmp_path)
    assert len(set(asked)) <= 6


@given(st.integers(2, 60), alphas, st.integers(1, 500))
@quick
def test_the_smallest_effect_has_the_power_that_statsmodels_finds_for_it(seeds, alpha, tests):
    seeds = max(seeds, forecast.seeds_to_decide(alpha))
    effect = power.smallest_effect(seeds, alpha / tests, forecast.POWER)
    found = TTestPower().power(effect, seeds, alpha / tests)
    assume(not math.isnan(found))  # SciPy's non-central t is, here and there
    assert found == pytest.approx(0.8, abs=1e-6)


def test_seeds_that_never_decide_see_nothing(tmp_path):
    for seeds in (1, 2, 5):
        assert lines(synthetic.plan(seeds=seeds, **EIGHT), tmp_path)["can see"] == "nothing, however large it is"


def seen(study, folder):
    """The ratio that a study says it can see."""
    said = lines(study, folder)["as a ratio"]
    number, unit = said.removeprefix("losses ").removeprefix("a factor of ").split()[:2]
    return 1 + float(number) / 100 if unit == "%" else float(number)


def test_the_ratio_that_can_be_seen_follows_from_the_spread_of_the_pairs(tmp_path):
    study = synthetic.plan(seeds=20, batch_size=["full", 25])
    found = synthetic.frames(study, ratio=synthetic.arms(batch=5.0), noise=0.5)["trials"]
    losses = found.pivot_table(index=["batch_size", "seed"], columns="norm", values="test_loss")
    spread = np.log(losses["batch"] / losses["none"]).groupby("batch_size").std().median()
    synthetic.stored(study, tmp_path, ratio=synthetic.arms(batch=5.0), noise=0.5)
    effect = power.smallest_effect(20, 0.05 / 2, 0.8)
    assert seen(study, tmp_path) == pytest.approx(math.exp(effect * spread), rel=0.05)
    assert lines(study, tmp_path)["as a ratio"].endswith("of 40 pairs that are there")


def test_the_ratio_is_that_of_the_outcome_that_decides(tmp_path):
    study = synthetic.plan(seeds=10)
    found = synthetic.frames(study, noise=0.5)
    found["trials"]["train_loss"] = np.exp(found["trials"]["seed"] * (found["trials"]["norm"] == "batch"))
    synthetic.stored(study, tmp_path, found)
    train = synthetic.plan(seeds=10, report={"outcome": "train_loss"})
    assert seen(train, tmp_path) > 10 > seen(study, tmp_path)


def test_pairs_are_joined_by_seed_and_three_are_needed(tmp_path):
    def seeds(labels):
        return [0, 1, 2, 3, 4] if labels["norm"] == "none" else [3, 4, 5, 6, 7]

    study = synthetic.plan(seeds=8)
    synthetic.stored(study, tmp_path / "two", seeds=seeds)
    assert "as a ratio" not in lines(study, tmp_path / "two")
    diverged = synthetic.where("batch", [0, 1, 2], 5)
    synthetic.stored(study, tmp_path / "diverged", diverged=diverged, noise=0.1)
    assert lines(study, tmp_path / "diverged")["as a ratio"].endswith("of 5 pairs that are there")


def test_losses_of_zero_are_floored_and_not_dropped(tmp_path):
    study = synthetic.plan(seeds=8)
    found = synthetic.frames(study, noise=0.1)
    found["trials"].loc[found["trials"]["seed"] < 4, "test_loss"] = 0.0
    synthetic.stored(study, tmp_path, found)
    assert lines(study, tmp_path)["as a ratio"].endswith("of 8 pairs that are there")


def test_the_widest_spread_is_said_without_an_overflow(tmp_path):
    study = synthetic.plan(seeds=6)
    found = synthetic.frames(study)
    trials = found["trials"]
    trials["test_loss"] = np.where((trials["norm"] == "batch") == (trials["seed"] < 3), 1e300, 0.0)
    synthetic.stored(study, tmp_path, found)
    assert "as a ratio" in lines(study, tmp_path)


def test_the_verb_prints_the_plan_and_the_warning_last(tmp_path, capsys, write):
    write("study: few\nseeds: 3\nbatch_size: [full]\n", "few.yaml")
    assert cli.main(["plan", "--configfile", "few.yaml", "--results", str(tmp_path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split()[:2] == ["study", "few:"]
    assert said[-1].startswith("warning: 3 seeds can never show a difference in any of 2 contexts")


def test_what_was_measured_of_a_network_is_what_its_training_is_said_to_take(tmp_path, monkeypatch):
    monkeypatch.setattr(forecast.cost, "seconds", SECONDS)
    study = synthetic.plan(network={"name": "mlp", "dropout": 0.5}, batch_size=["full"], epochs=40, seeds=10)
    (setting, other) = study.settings
    assert "by arithmetic alone: nothing has been timed here yet" in forecast.describe(study, tmp_path)
    for each, step in ((setting, 3.0), (other, 6.0)):
        probes.write(each.address, tmp_path, Probe(step=step, evaluation=0.0, mebibytes=1.0))
    total = 10 * 40 * (3 + 6)
    assert f"about {formats.duration(total)}, by a few steps of each network\n" in forecast.describe(study, tmp_path)


def test_what_was_measured_of_a_network_is_not_scaled_by_the_pace_of_others(tmp_path, monkeypatch):
    monkeypatch.setattr(forecast.cost, "seconds", SECONDS)
    of_another = timings.Timed("another", "a processor", 0.0, 7.0, timings._kind(synthetic.plan().settings[0].spec))
    monkeypatch.setattr(timings, "paces", lambda *_: timings.Paces([of_another]))
    study = synthetic.plan(network=["mlp", {"name": "mlp", "dropout": 0.5}], batch_size=["full"], epochs=40, seeds=10)
    assert "for 4 of 4 settings scaled by arithmetic from others" in forecast.describe(study, tmp_path)
    stacked = [each for each in study.settings if not each.spec["network"]["dropout"]]
    probed = [each for each in study.settings if each.spec["network"]["dropout"]]
    for each in probed:
        probes.write(each.address, tmp_path, Probe(step=3.0, evaluation=0.0, mebibytes=1.0))
    guessed = sum(7 * SECONDS(each.spec, 1) for each in stacked)
    total = formats.duration(10 * (guessed + 2 * 40 * 3))
    assert f"about {total}, for 2 of 4 settings scaled by arithmetic from others" in forecast.describe(study, tmp_path)


def test_the_snakefile_waits_for_no_statistics():
    heavy = {"torch", "scipy", "pandas", "statsmodels", "sklearn", "matplotlib"}
    code = f"import sys, bnbench.forecast; print(sorted(set(sys.modules) & {heavy!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=None)
    assert done.stdout == "[]\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A function that plans a study of two arms and 8 seeds with the user's network, and writes its files."""
    monkeypatch.chdir(tmp_path)

    def planned(comment="", path="nets.py", blocks=None, **changes):
        text = f"def net(norm):\n    return norm(1)  # {comment}\n"
        Path(path).write_text(text if blocks is None else f"import blocks\n{text}")
        Path("blocks.py").write_text(blocks or "")
        return synthetic.plan(network={"name": "module", "path": path, "build": "net"}, **changes)

    return planned


def test_a_file_that_changed_is_told_of_with_the_trials_of_its_other_versions(own, tmp_path):
    for version in ("one", "two"):
        synthetic.stored(own(version), tmp_path / "results")
    said = forecast.changed(own("three"), Path("results"))
    assert said == "nets.py changed: training starts again; 32 trials with other versions of it stay in results"
    assert said in forecast.describe(own("three"), Path("results")).splitlines()


def test_nothing_is_told_of_where_nothing_is_trained_anew(own, tmp_path):
    synthetic.stored(own("one"), tmp_path / "results")
    synthetic.stored(own("two"), tmp_path / "results")
    assert forecast.changed(own("two"), Path("results")) == ""
    assert forecast.changed(own("one", seeds=9), Path("results")) != ""
    assert forecast.changed(own("one", path="other.py"), Path("results")) == ""
    assert forecast.changed(own("three", epochs=50), Path("results")) == ""
    assert forecast.changed(synthetic.plan(), Path("results")) == ""


def test_a_file_that_is_imported_counts_as_the_file_that_imports_it(own, tmp_path):
    synthetic.stored(own(blocks="# one"), tmp_path / "results")
    said = forecast.changed(own(blocks="# two"), Path("results"))
    assert said.startswith("nets.py (or a file that it imports) changed: ")


def test_spoilt_results_of_another_version_are_passed_over(own, tmp_path):
    synthetic.stored(own("one"), tmp_path / "results")
    for file in (tmp_path / "results" / "trials").rglob("*-batch-*/*.parquet"):
        file.write_bytes(b"no table")
    assert "8 trials" in forecast.changed(own("two"), Path("results"))
