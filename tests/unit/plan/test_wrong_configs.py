"""Whatever is wrong in a config gets a line: the file, the key, what was found, what is allowed, what is near."""

import time
from pathlib import Path

import pytest
from configs import anything
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from specs import written_own

from bnbench import cli, forecast
from bnbench.catalogue.parameters import schema
from bnbench.catalogue.registries import REGISTRIES
from bnbench.errors import UserError
from bnbench.plan import config
from bnbench.vocabulary import FACTORS

LISTS = {
    "KEYS": config.SCHEMA["properties"],
    "CONTEXTS": [factor for factor in FACTORS if factor != "norm"],
    "NORMS": REGISTRIES["norm"],
    "OPTIMIZERS": REGISTRIES["optimizer"],
    "RATES": [str(rate) for rate in range(1, 101)],
}
"""What stands for a list of words in configs and in lines."""


def spelled_out(text):
    for name, words in LISTS.items():
        text = text.replace(name, ", ".join(words))
    return text


WRITTEN = [
    spelled_out(block.strip()).split("\n=> ")
    for block in (Path(__file__).parent / "wrong_configs.txt").read_text(encoding="utf-8").split("\n\n")
    if not block.startswith("#")
]

TOO_LONG = "found a config file of more than 256 KiB, allowed: at most 256 KiB"
TOO_MANY = "found more than 10,000 values, allowed: at most 10,000"
TOO_MANY_ALIASES = "found more than 10,000 values (an alias counts as all that it stands for), allowed: at most 10,000"
TOO_DEEP = "found lists and mappings nested more than 20 deep, allowed: at most 20"
UNKNOWN = "unknown key 'k{}'; allowed: " + ", ".join(config.SCHEMA["properties"])
WRONG_NORM = f"norm[{{}}]: found 'btch' (text) (did you mean 'batch'?), allowed: one of {', '.join(REGISTRIES['norm'])}"
WRONG_CLAIM = (
    "claims[{}].predicts: found 'maybe' (text), allowed: one of helps, hurts, equivalent, not_worse, falls, rises"
)


def first_twenty(line):
    return [line.format(index) for index in range(20)]


def bomb(item, level):
    """Lines of YAML each of which stands for nine times as much as the one before."""
    return "".join(f"- &a{n + 1} {level(', '.join([f'*a{n}'] * 9))}\n" for n in range(12)).replace("*a0", item)


GENERATED = {
    "10 MB": ("batch_size: [" + "25, " * 2_600_000 + "25]", [TOO_LONG]),
    "a million levels": ("batch_size: [" + "5," * 1_000_000 + "5]", [TOO_LONG]),
    "a long comment": ("#" * 300_000, [TOO_LONG]),
    "100,000 rates": (
        "optimizer: {name: adam, lr: [" + "1," * 100_000 + "1]}",
        [f", line 2, column 20018: {TOO_MANY}"],
    ),
    "20,000 unknown keys": ("".join(f"k{n}: 1\n" for n in range(20_000)), [f", line 5001, column 1: {TOO_MANY}"]),
    "4,000 unknown keys": (
        "".join(f"k{n}: 1\n" for n in range(4_000)),
        [*first_twenty(UNKNOWN), "3,980 more unknown keys"],
    ),
    "400 wrong names": (f"norm: [{'btch, ' * 400}]", [*first_twenty(WRONG_NORM), "380 more mistakes"]),
    "1,000 wrong claims": (
        "claims:\n" + "- {words: w, source: s, predicts: maybe}\n" * 1_000,
        [*first_twenty(WRONG_CLAIM), "980 more mistakes"],
    ),
    "aliases in a list": ("metrics:\n" + bomb("5", "[{}]".format), [TOO_MANY_ALIASES]),
    "aliases in mappings": (
        "metrics:\n"
        + bomb("5", lambda inner: "{" + ", ".join(f"k{n}: {one}" for n, one in enumerate(inner.split(", "))) + "}"),
        [TOO_MANY_ALIASES],
    ),
    "aliases in allowed keys": (
        f"report: {{compare: &a [{'[none, batch], ' * 100}], baseline: [{'*a, ' * 60}]}}",
        [TOO_MANY_ALIASES],
    ),
    "merged aliases": ("metrics:\n" + bomb("{k: 5}", "{{<<: [{}]}}".format), [f", line 7, column 3: {TOO_MANY}"]),
    "a level that is 1,000 lists": ("norm: " + "[" * 1000 + "]" * 1000, [": broken YAML (nested too deeply)"]),
    "a level that is 30 lists": ("norm: " + "[" * 30 + "]" * 30, [TOO_DEEP]),
    "lists in lists by aliases": (
        "metrics:\n- &a0 5\n" + "".join(f"- &a{n + 1} [*a{n}]\n" for n in range(2_000)),
        [TOO_DEEP],
    ),
}
"""What is too long to be written out, and the lines that it gets."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with nothing but files of the user's."""
    made = tmp_path_factory.mktemp("wrong")
    (made / "own").symlink_to(Path(__file__).parents[1] / "own")
    return made


ROWS = [(text, lines) for text, *lines in WRITTEN] + [*GENERATED.values()]


@pytest.mark.parametrize(("text", "lines"), ROWS, ids=[*(text[:60] for text, _ in ROWS[: len(WRITTEN)]), *GENERATED])
def test_a_line_a_mistake_tells_where_and_what_and_what_is_allowed_at_once_and_nothing_is_written(
    folder, monkeypatch, capsys, text, lines
):
    monkeypatch.chdir(folder)
    Path("wrong.yaml").write_text(text if text.startswith("study") else f"study: x\n{text}", encoding="utf-8")
    begun = time.process_time()
    status = cli.main(["check", "--configfile", "wrong.yaml"])
    took, said = time.process_time() - begun, capsys.readouterr()
    assert said.err.splitlines() == [f"wrong.yaml{line if line[0] in ',:' else f': {line}'}" for line in lines]
    assert (status, said.out) == (2, "")
    assert took < 3
    assert {path.name for path in folder.iterdir()} == {"own", "wrong.yaml"}


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
