"""The plan: an address for the same numbers and no others, chunks that outlive more seeds, and no torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from configs import FREE, configs, entries, fitting
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from specs import written_own

from bnbench.catalogue.registries import REGISTRIES
from bnbench.epochs import evaluated_epochs
from bnbench.errors import UserError
from bnbench.forecast import summary
from bnbench.plan import config, configfile, cost, study
from bnbench.plan import levels as levels_of
from bnbench.plan.chunks import all_chunks
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.vocabulary import FACTORS

CONFIG = Path(__file__).parents[3] / "config.yaml"
SMALL = {"study": "small", "hidden": [4], "epochs": 40, "seeds": 8, "batch_size": ["full"], "optimizer": ["adam"]}
GOLDEN = [
    "sine-none-full-adam_lr0.001-cpu-c898fa5f",
    "sine-none-full-sgd_lr0.01-cpu-e479b260",
    "sine-none-b25-adam_lr0.001-cpu-9ba49d22",
    "sine-none-b25-sgd_lr0.01-cpu-39da0781",
    "sine-batch-full-adam_lr0.001-cpu-6c2a2270",
    "sine-batch-full-sgd_lr0.01-cpu-ddcfbb66",
    "sine-batch-b25-adam_lr0.001-cpu-8c11d0bc",
    "sine-batch-b25-sgd_lr0.01-cpu-920acfc8",
]
quick = settings(max_examples=60, deadline=None)


def plan(**changes):
    return config.load({**SMALL, **changes}, "small.yaml")


def addresses(**changes):
    return [setting.address for setting in plan(**changes).settings]


def test_a_source_that_varies_alone_has_addresses_of_its_own_and_all_of_them_have_those_they_always_had():
    varied = plan(seed_varies=["all", "weights"])
    assert not varied.settings[0].to_json().count("seed_varies")
    assert [setting.address for setting in varied.settings][::2] == addresses()
    assert len({setting.address for setting in varied.settings}) == 4
    assert [labels["seed_varies"] for labels, _ in varied.contexts()] == ["all", "weights"]
    assert varied.varies_sources
    assert not plan().varies_sources


def planned(found):
    """The study of a config, with a second arm, and its chunks not all full."""
    two_arms = [found["norm"], {"name": "batch", "eps": 77}]
    changes = {"norm": two_arms, "seeds_per_job": {"cpu": 3}, "report": {"baseline": found["norm"]}}
    return plan(**{**found, **changes})


def setting_of(found):
    return planned(found).settings[0]


DEFAULTS = {key: rule.get("default") for key, rule in config.SCHEMA["properties"].items()}
READ = {"mlp": ["hidden", "activation"], "cnn": ["activation"], "resnet": ["activation"], "module": []}
"""Network → the keys that it reads, where it does not have them itself."""


def numbers(setting):
    """What the numbers of a setting depend on."""
    spec = {key: dict(value) if isinstance(value, dict) else value for key, value in setting.spec.items()}
    for key in ("hidden", "activation"):
        top, reads = spec.pop(key), key in READ[spec["network"]["name"]]
        own = spec["network"].pop(key) if reads else None
        spec[f"{key} in use"] = (top if own is None else own) if reads else None
    for entry in spec.values():
        if isinstance(entry, dict):
            entry.pop("path", None)
    judged = ("path", "better", "scale", "margin")
    spec["metrics"] = [{key: value for key, value in each.items() if key not in judged} for each in spec["metrics"]]
    return spec


@quick
@given(configs, configs, st.sets(st.sampled_from([*REGISTRIES, *FREE]), max_size=3))
def test_two_settings_have_one_address_if_and_only_if_they_come_to_the_same_numbers(one, other, changed):
    two = fitting({**one, **{key: value for key, value in other.items() if key in changed}})
    first, second = setting_of(one), setting_of(two)
    assert (first.address == second.address) == (numbers(first) == numbers(second))


@quick
@given(configs, st.data())
def test_a_key_that_stands_for_a_parameter_of_the_network_may_be_written_in_either_place(found, data):
    written = {**found, "network": dict(found["network"])}
    for key in ("hidden", "activation"):
        if key not in READ[found["network"]["name"]]:
            written[key] = data.draw(FREE[key])
            continue
        own, top = written["network"].pop(key, None), written.pop(key, {**DEFAULTS, **SMALL}[key])
        used = top if own is None else own
        if data.draw(st.booleans()):
            written["network"][key], written[key] = used, data.draw(FREE[key])
        else:
            written[key] = used
    assert setting_of(written).address == setting_of(found).address


@quick
@given(configs, st.randoms(use_true_random=False))
def test_the_address_does_not_depend_on_how_the_numbers_are_written(found, random):
    def rewritten(value):
        if isinstance(value, dict):
            own = "build" in value  # what the user's code is given has no declared type
            items = [(key, item if own else rewritten(item)) for key, item in value.items()]
            random.shuffle(items)
            for key in {"on", "layers"} & {*value}:
                random.shuffle(dict(items)[key])
            return items[0][1] if [*value] == ["name"] and random.random() < 0.5 else dict(items)
        if isinstance(value, list):
            return [rewritten(item) for item in value]
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            return value
        return random.choice([int(value), float(value), -0.0 if value == 0 else value])

    written = rewritten(found)
    assert setting_of(written).address == setting_of(found).address
    assert setting_of(written).labels == setting_of(found).labels


@quick
@given(configs)
def test_a_job_finds_the_address_that_was_planned(found):
    setting = setting_of(found)
    assert Setting.from_spec(json.loads(setting.to_json())) == setting


@quick
@given(st.lists(entries("optimizer"), min_size=2, max_size=6))
def test_different_levels_have_different_labels(levels):
    resolved = []
    for level in levels:
        try:
            resolved += config.resolve({**SMALL, "optimizer": level}, "x")["optimizer"]
        except UserError:
            reject()
    labels = {levels_of.level("optimizer", each).label for each in resolved}
    assert len(labels) == len({json.dumps(level) for level in resolved})


def test_a_label_says_where_a_norm_stands_if_it_is_not_where_norms_stand_by_default():
    shown = {
        "batch": {},
        "batch placement=after on=hidden,input": {"placement": "after", "on": ["hidden", "input"]},
        "batch momentum=0.3 layers=a.*,b": {"layers": ["a.*", "b"], "momentum": 0.3},
        "batch layers=['a,b']": {"layers": ["a,b"]},
    }
    for label, options in shown.items():
        assert levels_of.level("norm", {"name": "batch", **options}).label == label


def test_the_addresses_of_a_study_of_defaults_stay_what_they_are():
    found = config.load({"study": "default"}, "a config of one line")
    assert [setting.address for setting in found.settings] == GOLDEN


def test_defaults_may_be_left_out_or_written_out():
    written = {"name": "adam", "lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0, "amsgrad": False}
    assert addresses(optimizer=[written]) == addresses(optimizer="adam") == addresses(optimizer=[{"name": "adam"}])
    assert addresses(task="sine", device="cpu") == addresses(task=[{"name": "sine", "points": 100}], device=["cpu"])


@pytest.mark.parametrize(
    "change",
    [
        {"study": "another"},
        {"report": {"baseline": "batch", "margin": 1.5, "alpha": 0.01, "window": 0, "outcome": "train_loss"}},
        {"reference_points": [{"norm": "batch", "epoch": 3, "value": 0.1}]},
        {"seeds_per_job": {"cpu": 3}},
        {"threads": 4},
        {"seeds": {"first": 5, "count": 50}},
    ],
)
def test_what_changes_no_number_is_no_part_of_the_address(change):
    assert addresses(**change) == addresses()


def test_the_version_of_the_arithmetic_is_part_of_the_address(monkeypatch):
    before = addresses()
    monkeypatch.setattr(study, "NUMERICS", study.NUMERICS + 1)
    assert not set(before) & set(addresses())


def test_a_data_files_address_follows_its_bytes_and_not_its_path(tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    for path in (one, two):
        path.write_text("a,y\n1,2\n2,3\n3,5\n4,8\n")

    def found(path, **options):
        return addresses(task={"name": "table", "path": str(path), "target": "y", **options})

    assert found(one) == found(two) == addresses(task={"target": "y", "path": str(one), "name": "table"})
    assert not set(found(one)) & set(found(one, test_fraction=0.5))
    before = found(one)
    one.write_text("a,y\n1,2\n2,3\n3,5\n4,9\n")
    assert not set(before) & set(found(one))


sizes = st.integers(1, 12)
seeds = st.fixed_dictionaries({"first": st.integers(0, 40), "count": st.integers(1, 40)})


def chunks(size, seeds):
    return all_chunks(plan(seeds=seeds, seeds_per_job={"cpu": size}), cost.seeds_per_job)


@quick
@given(sizes, seeds)
def test_chunks_share_out_the_seeds_of_each_setting_and_start_at_multiples_of_their_size(size, seeds):
    found = chunks(size, seeds)
    by_setting = {}
    for chunk in found:
        assert chunk.first % size == 0 or chunk.first == seeds["first"]
        assert chunk.first // size == chunk.last // size
        assert chunk.stem == f"seeds-{chunk.first}-{chunk.last}"
        by_setting.setdefault(chunk.setting.address, []).extend(range(chunk.first, chunk.last + 1))
    asked = [*range(seeds["first"], seeds["first"] + seeds["count"])]
    assert by_setting == dict.fromkeys(addresses(), asked)


@quick
@given(sizes, seeds, st.integers(0, 30), st.integers(0, 30))
def test_more_seeds_keep_all_full_chunks(size, seeds, before, after):
    first = max(0, seeds["first"] - before)
    more = {"first": first, "count": seeds["count"] + seeds["first"] - first + after}
    kept = {(chunk.setting.address, chunk.stem) for chunk in chunks(size, more)}
    lost = [c for c in chunks(size, seeds) if (c.setting.address, c.stem) not in kept]
    assert all(chunk.count < size for chunk in lost)
    for address in addresses():
        ends = [chunk for chunk in lost if chunk.setting.address == address]
        assert len(ends) <= (after > 0) + (first < seeds["first"])


@quick
@given(configs)
def test_a_study_comes_back_from_its_json(found):
    one = planned(found)
    again = Study(json.loads(one.to_json()))
    assert again == one
    assert (again.levels, again.arms, again.report) == (one.levels, one.arms, one.report)
    assert all_chunks(again, cost.seeds_per_job) == all_chunks(one, cost.seeds_per_job)


def test_contexts_hold_fixed_all_factors_but_the_compared_one():
    sizes = {"batch_size": ["full", 25, 10], "report": {"factor": "batch_size", "baseline": 25}}
    found = plan(optimizer=["adam", "sgd"], **sizes)
    assert found.arms == ("25", "full", "10")
    contexts = found.contexts()
    assert len(contexts) == 4
    for fixed, arms in contexts:
        assert set(fixed) == {*FACTORS} - {"batch_size"}
        assert set(arms) == set(found.arms)
        assert all(setting.labels == {**fixed, "batch_size": arm} for arm, setting in arms.items())


@pytest.mark.parametrize("baseline", ["adam lr=0.1", {"name": "adam", "lr": 0.1}, {"lr": 0.1, "name": "adam"}])
def test_the_baseline_is_named_by_its_label_or_by_its_entry(baseline):
    levels = [{"name": "adam", "lr": 0.001}, {"name": "adam", "lr": 0.1}]
    found = plan(optimizer=levels, report={"factor": "optimizer", "baseline": baseline})
    assert found.arms == ("adam lr=0.1", "adam lr=0.001")


def test_the_plan_is_said_in_one_line():
    default = config.load(configfile.read(CONFIG), str(CONFIG))
    assert summary(default) == "2 norms × 2 batch sizes × 2 optimizers × 20 seeds = 160 trials in 8 jobs"
    two_tasks = plan(task=["sine", "mixture"], seeds=1)
    assert summary(two_tasks) == "2 tasks × 2 norms × 1 seed = 4 trials in 4 jobs"
    sizes = plan(hidden=[[4], [4, 4]], init=["independent", "sequential"], seeds=1)
    assert summary(sizes).startswith("2 hidden sizes × 2 initializations × 2 norms × 1 seed")


@given(st.integers(1, 200), st.integers(1, 250))
def test_losses_are_measured_every_so_often_and_at_the_end(epochs, every):
    found = evaluated_epochs(epochs, every)
    assert found[-1] == epochs - 1
    assert found[:-1] == [*range(every - 1, epochs - 1, every)]


def test_planning_imports_no_torch():
    code = f"""
import sys
from bnbench import cli, snakefile
from bnbench.plan import config, configfile
from bnbench.wording import contents
study = config.load(configfile.read({str(CONFIG)!r}), "config.yaml")
snakefile.planned(study), contents.figures(study)
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_networks_may_be_the_arms_and_their_baseline_is_named_by_label_name_or_entry():
    own = written_own("network", depth=2)
    networks = ["mlp", {"name": "mlp", "hidden": [8]}, own]
    for baseline in ("my_net depth=2", "my_net", own):
        found = plan(network=networks, norm="batch", report={"factor": "network", "baseline": baseline})
        assert found.arms == ("my_net depth=2", "mlp", "mlp hidden=8")
    assert not found.shares_weights(found.contexts()[0][0])
