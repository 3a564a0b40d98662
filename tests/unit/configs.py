"""Configs as hypothesis draws them, every entry of every registry with parameters in their ranges; and refusals."""

import pytest
from hypothesis import strategies as st

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


@st.composite
def entries(draw, kind):
    """An entry of the config that is chosen by name, with some of its parameters."""
    name = draw(st.sampled_from([name for name in REGISTRIES[kind] if name != "table"]))
    rule = schema(REGISTRIES[kind][name])
    required = {key: values(rule["properties"][key]) for key in rule["required"]}
    optional = {key: values(item) for key, item in rule["properties"].items() if key not in required}
    return {"name": name, **draw(st.fixed_dictionaries(required, optional=optional))}


configs = st.fixed_dictionaries(
    {kind: entries(kind) for kind in REGISTRIES},
    optional={
        "epochs": st.sampled_from([40, 41]),
        "batch_size": st.sampled_from(["full", 8, 8.0]),
        "dtype": st.sampled_from(["float32", "float64"]),
        "init": st.sampled_from(["independent", "sequential"]),
        "device": st.sampled_from(["cpu", "cuda"]),
        "hidden": st.sampled_from([[4], [4.0], [4, 4]]),
        "activation": st.sampled_from(["relu", "tanh"]),
        "seed_varies": st.sampled_from(["all", "weights"]),
    },
)


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
known += ["tune", "claims", "seed_varies"]
anything = st.dictionaries(st.sampled_from([*known, "epochs", "reference_points", "init"]), content, max_size=2)
"""A config of a known shape in which anything may stand."""


def refusal(call, *arguments):
    """The one line with which a call is refused."""
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)
