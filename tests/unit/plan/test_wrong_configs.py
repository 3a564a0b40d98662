"""Whatever is wrong in a config gets a line: the file, the key, what was found, what is allowed, what is near."""

from pathlib import Path

import pytest
from configs import anything
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from specs import written_own

from bnbench import forecast
from bnbench.catalogue.parameters import schema
from bnbench.catalogue.registries import REGISTRIES
from bnbench.errors import UserError
from bnbench.plan import config, configfile
from bnbench.vocabulary import FACTORS

CASES = [
    block.strip().split("\n=> ")
    for block in (Path(__file__).parent / "wrong_configs.txt").read_text(encoding="utf-8").split("\n\n")
    if not block.startswith("#")
]
LISTS = {
    "KEYS": config.SCHEMA["properties"],
    "CONTEXTS": [factor for factor in FACTORS if factor != "norm"],
    "NORMS": REGISTRIES["norm"],
    "OPTIMIZERS": REGISTRIES["optimizer"],
}
"""What stands for a list of words in these lines."""


@pytest.mark.parametrize(("text", "lines"), [(text, lines) for text, *lines in CASES])
def test_a_line_a_mistake_tells_where_and_what_and_what_is_allowed(tmp_path, monkeypatch, text, lines):
    monkeypatch.chdir(Path(__file__).parents[1])  # where own/nets.py lies
    path = tmp_path / "wrong.yaml"
    path.write_text(text if text.startswith("study") else f"study: x\n{text}", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        config.load(configfile.read(path), path.name)
    assert str(caught.value).splitlines() == [f"wrong.yaml: {spelled_out(line)}" for line in lines]


def spelled_out(line):
    for name, words in LISTS.items():
        line = line.replace(name, ", ".join(words))
    return line


PLACES = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]
NEEDED = {"table": {"path": "a.csv", "target": "y"}, "arrays": {"path": "a.npz"}, "step": {"every": 3}}


def entry_refusal(kind, name, options):
    needed = written_own(kind) if name == "module" else NEEDED.get(name, {})
    with pytest.raises(UserError) as caught:
        config.resolve({"study": "x", kind: {**needed, "name": name, **options}}, "wrong.yaml")
    return str(caught.value)


@pytest.mark.parametrize(("kind", "name"), PLACES)
def test_every_parameter_of_every_entry_refuses_what_is_not_its_type(kind, name):
    for key, rule in schema(REGISTRIES[kind][name])["properties"].items():
        wrong = ["x", float("nan"), float("inf"), [], {}, 10**400]
        wrong += [True, "5"] * (rule["type"] != "boolean") + [None] * ("null" not in rule["type"])
        for value in wrong:
            if isinstance(value, str | list | bool) and Draft202012Validator(rule).is_valid(value):
                continue
            message = entry_refusal(kind, name, {key: value})
            assert message.startswith(f"wrong.yaml: {kind}.{key}: found ")
            assert ", allowed: " in message
            assert "\n" not in message


@pytest.mark.parametrize(("kind", "name"), [place for place in PLACES if place[1] != "module"])
def test_every_mistyped_parameter_gets_the_nearest_one(kind, name):
    for key in schema(REGISTRIES[kind][name])["properties"]:
        message = entry_refusal(kind, name, {f"{key}x": 1})
        assert message.startswith(
            f"wrong.yaml: {kind}: unknown key '{key}x' in {kind} '{name}' (did you mean '{key}'?)"
        )


@pytest.mark.parametrize("key", config.SCHEMA["properties"])
def test_every_mistyped_key_gets_the_nearest_one(key):
    with pytest.raises(
        UserError, match=rf"^wrong.yaml: unknown key '{key}x' \(did you mean '{key}'\?\); allowed: study"
    ):
        config.resolve({"study": "x", f"{key}x": 1}, "wrong.yaml")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(anything)
def test_whatever_a_config_holds_it_is_planned_or_refused_in_a_line_a_mistake(found):
    try:
        planned = config.load({"study": "x", **found}, "wrong.yaml")
        said = [f"wrong.yaml: {forecast.summary(planned)} of {len(planned.contexts())} contexts of {planned.arms}"]
    except UserError as error:
        said = str(error).splitlines()
    assert all(line.startswith("wrong.yaml: ") for line in said)
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    "key",
    [
        "dropout",
        "learning_rate",
        "lr",
        "score",
        "width",
        "depth",
        "patience",
        "momentum",
        "weight_decay",
    ],
)
def test_a_key_that_means_nothing_here_gets_no_hint(key):
    with pytest.raises(UserError, match=rf"^wrong.yaml: unknown key '{key}'; allowed: study"):
        config.resolve({"study": "x", key: 1}, "wrong.yaml")
