"""Configs as hypothesis draws them, every entry of every registry with parameters in their ranges; and refusals."""

import pytest
from hypothesis import strategies as st
from specs import written_own

from bnbench.catalogue.losses import LOSSES
from bnbench.catalogue.parameters import schema
from bnbench.catalogue.registries import REGISTRIES
from bnbench.errors import UserError


def values(rule):
    """Values that a parameter may take: few, so that equal ones are often drawn, and some that equal one another."""
    kinds = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
    if "enum" in rule:
        return st.sampled_from(rule["enum"])
    if kinds == ["boolean"]:
        return st.booleans()
    if kinds == ["array"]:
        size = rule.get("minItems", 1)
        most, unique = rule.get("maxItems", size + 1), rule.get("uniqueItems", False)
        return st.lists(values(rule["items"]), min_size=size, max_size=most, unique=unique)
    if kinds == ["string"]:
        return st.sampled_from(["*", "block1.*", "head"])
    whole = [2, 3, 50] if kinds == ["integer"] else [0, -0.0, 0.25, 0.5, 1, 1.0, 2.5, 3]
    low, high = rule.get("minimum", -9), rule.get("maximum", 99)
    above, below = rule.get("exclusiveMinimum", -9), rule.get("exclusiveMaximum", 99)
    numbers = [x for x in whole if low <= x <= high and above < x < below]
    return st.sampled_from(numbers + [None] * ("null" in kinds))


PARAMETERS = {
    "channels": st.sampled_from([[4], [4, 6]]),
    "depth": st.sampled_from([8, 14, 14.0]),
    "etas": st.sampled_from([[0.25, 2], [0.5, 2.5]]),
    "groups": st.sampled_from([1, 2, 2.0]),
    "hidden": st.sampled_from([None, [4], [4.0], [4, 4]]),
    "kernel": st.sampled_from([1, 3, 3.0]),
    "width": st.sampled_from([2, 4.0]),
    "points": st.sampled_from([50, 60.0]),
}
"""Values of parameters that what is above does not draw well."""

OPTIONS = {
    "network": {"depth": st.sampled_from([1, 2]), "widths": st.sampled_from([[4], [4, 6]])},
    "norm": {"eps": st.sampled_from([0.25, "small"])},
    "optimizer": {"momentum": st.sampled_from([0.5, None])},
    "loss": {"power": st.sampled_from([2, True])},
}
"""Parameters of a user's own code."""


OF_FILES = [("task", "table"), ("task", "arrays"), ("task", "module")]
"""Entries whose file is read when they are planned."""


@st.composite
def entries(draw, kind):
    """An entry of the config that is chosen by name, with some of its parameters."""
    name = draw(st.sampled_from([name for name in REGISTRIES[kind] if (kind, name) not in OF_FILES]))
    rule = schema(REGISTRIES[kind][name])
    known = {key: PARAMETERS[key] if key in PARAMETERS else values(item) for key, item in rule["properties"].items()}
    if name == "module":
        known = {key: value for key, value in known.items() if key not in ("path", "build")} | OPTIONS[kind]
    required = {key: known.pop(key) for key in rule["required"] if key in known}
    written = written_own(kind) if name == "module" else {"name": name}
    return consistent({**written, **draw(st.fixed_dictionaries(required, optional=known))})


def consistent(entry):
    """An entry without parameters that its class refuses together."""
    contradicts = {
        "population_gamma": ["affine"],
        "sgd": ["nesterov"],
        "momentum": ["nesterov"],
    }.get(entry["name"], [])
    return {key: value for key, value in entry.items() if key not in contradicts}


metrics = st.fixed_dictionaries(
    {key: st.just(value) for key, value in written_own("metric").items()},
    optional={
        "better": st.sampled_from(["higher", "lower"]),
        "scale": st.sampled_from(["difference", "ratio"]),
        "share": st.sampled_from([0.5, "most"]),
    },
)

FREE = {
    "epochs": st.sampled_from([40, 41]),
    "batch_size": st.sampled_from(["full", 8, 8.0]),
    "accumulate": st.sampled_from([1, 2, 2.0]),
    "dtype": st.sampled_from(["float32", "float64"]),
    "init": st.sampled_from(["independent", "sequential"]),
    "device": st.sampled_from(["cpu", "cuda"]),
    "hidden": st.sampled_from([[4], [4.0], [4, 4]]),
    "activation": st.sampled_from(["relu", "tanh"]),
    "seed_varies": st.sampled_from(["all", "weights"]),
    "metrics": st.lists(metrics, max_size=1),
    "validation": st.sampled_from([None, 0.25]),
}


def fitting(found):
    """The same config, less what is refused of it since it contradicts the rest or would do nothing."""
    found = {key: dict(value) if isinstance(value, dict) else value for key, value in found.items()}
    network, norm, optimizer = found["network"], found["norm"], found["optimizer"]
    if network["name"] in ("cnn", "resnet"):
        found["task"] = {"name": "digits"}
    elif norm["name"] == "instance":
        norm["name"] = "layer"
    has_classes = found["task"]["name"] in ("digits", "moons") and found["task"].get("target") != "inputs"
    kind = "classes" if has_classes else "numbers"
    if found["loss"]["name"] in LOSSES and kind not in LOSSES[found["loss"]["name"]].allowed:
        found["loss"] = {"name": "task"}
    if norm["name"] == "population_gamma":  # of plain perceptrons alone
        network = {key: value for key, value in network.items() if key in ("hidden", "activation")} | {"name": "mlp"}
        norm = {key: value for key, value in norm.items() if key not in ("placement", "on", "layers")}
        optimizer = {"name": "adam"}
        found = {**found, "loss": {"name": "task"}, "accumulate": 1}
    if found.get("batch_size", "full") == "full":
        found.pop("accumulate", None)
    if network["name"] != "mlp":
        found.pop("init", None)
    if network["name"] == "module":
        norm = {key: value for key, value in norm.items() if key not in ("placement", "on")}
    if norm["name"] in ("layer", "group", "instance", "rms"):  # which need several units
        norm.pop("on", None)
    if "hidden" not in norm.get("on", ["hidden"]):
        norm.pop("placement", None)
    if not optimizer.get("weight_decay", optimizer["name"] in ("adamw", "muon", "module")):
        optimizer.pop("weight_decay_on", None)
    return {**found, "network": network, "norm": norm, "optimizer": optimizer}


configs = st.fixed_dictionaries({kind: entries(kind) for kind in REGISTRIES}, optional=FREE).map(fitting)


words = st.sampled_from(["full", "none", "batch", "adam", "cpu", "sine", "5", "1e-3", "", "a\nb", "norm", "name", "x"])
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-3, 30)
    | st.sampled_from([10**30, 2**53, -(10**400)])
    | st.floats()
    | words
    | st.text(max_size=5)
)
inner_keys = st.sampled_from(
    ["name", "first", "count", "factor", "baseline", "lr", "momentum", "cpu", "points", "norm"]
)
content = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(inner_keys | words | st.integers(0, 3), inner, max_size=3)
    ),
    max_leaves=6,
)
known = ["task", "hidden", "seeds", "seeds_per_job", "schedule", "norm", "batch_size", "optimizer", "device", "report"]
known += ["tune", "claims", "seed_varies", "network", "loss", "accumulate", "metrics", "validation"]
anything = st.dictionaries(st.sampled_from([*known, "epochs", "reference_points", "init"]), content, max_size=2)
"""A config of a known shape in which anything may stand."""


def refusal(call, *arguments):
    """The one line with which a call is refused."""
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)
