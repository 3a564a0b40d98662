"""How entries declare their parameters, and that every entry there is declares them well."""

from dataclasses import dataclass, fields

import pytest
from jsonschema import Draft202012Validator

from bnbench.catalogue.parameters import build, parameter, schema
from bnbench.catalogue.registries import REGISTRIES

ENTRIES = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]


@dataclass(frozen=True)
class Toy:
    """A toy. It shows what can be declared."""

    derived = ("hash",)

    size: int = parameter(..., "how large", minimum=1)
    rate: float | None = parameter(None, "how fast", exclusiveMinimum=0)
    pair: tuple[float, float] = parameter((0.5, 1.5), "two of them")
    several: tuple[int, ...] = parameter((1,), "some of them", minItems=1)
    loud: bool = parameter(False, "whether it squeaks")  # noqa: FBT003 - a default
    colour: str = parameter("red", "its paint", enum=["red", "blue"])
    trim: tuple[str, ...] = parameter(("red",), "its lines", items={"enum": ["red", "blue"]}, since="0.2.0")
    hash: str = parameter("", "filled in by the planner")
    wheels: int = parameter(4, "how many")


def test_a_dataclass_says_all_there_is_to_say_of_its_parameters():
    number = {"type": "number"}
    assert schema(Toy) == {
        "type": "object",
        "description": "A toy. It shows what can be declared.",
        "properties": {
            "size": {"type": "integer", "description": "how large", "minimum": 1},
            "rate": {"type": ["number", "null"], "description": "how fast", "exclusiveMinimum": 0, "default": None},
            "pair": {
                "type": "array",
                "items": number,
                "minItems": 2,
                "maxItems": 2,
                "description": "two of them",
                "default": [0.5, 1.5],
            },
            "several": {
                "type": "array",
                "items": {"type": "integer"},
                "minItems": 1,
                "description": "some of them",
                "default": [1],
            },
            "loud": {"type": "boolean", "description": "whether it squeaks", "default": False},
            "colour": {"type": "string", "enum": ["red", "blue"], "description": "its paint", "default": "red"},
            "wheels": {"type": "integer", "description": "how many", "default": 4},
            "trim": {
                "type": "array",
                "items": {"type": "string", "enum": ["red", "blue"]},
                "description": "its lines",
                "since": "0.2.0",
                "default": ["red"],
            },
        },
        "required": ["size"],
        "additionalProperties": False,
    }


def test_a_parameter_that_was_added_later_comes_last():
    assert [*schema(Toy)["properties"]][-2:] == ["wheels", "trim"]


def test_an_entry_is_built_from_what_json_makes_of_it():
    built = build({"toy": Toy}, {"name": "toy", "size": 3, "pair": [1.0, 2.0], "hash": "a"})
    assert built == Toy(size=3, pair=(1.0, 2.0), hash="a")


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_parameter_is_described_and_its_default_keeps_to_its_own_rule(kind, name):
    rule = schema(REGISTRIES[kind][name])
    Draft202012Validator.check_schema(rule)
    for item in rule["properties"].values():
        assert item["description"]
        assert "default" not in item or Draft202012Validator(item).is_valid(item["default"])


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_what_the_planner_fills_in_and_what_has_no_address_are_parameters(kind, name):
    entry = REGISTRIES[kind][name]
    names = {field.name for field in fields(entry)}
    assert {*getattr(entry, "derived", ()), *getattr(entry, "unaddressed", ())} <= names
    assert "name" not in names
