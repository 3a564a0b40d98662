"""YAML as a config may have it: safe, no key twice, and every value the same to all readers of YAML.

YAML 1.1, by which PyYAML and Snakemake read, takes `012` for 10, `1:30` for 90, `yes` for true and `1e-3` for text.
YAML 1.2 takes them for 12, text, text and 0.001. Nobody can know which of these a user means, so such a value is
refused, and the message says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from bnbench.errors import shortened
from bnbench.plan.limits import MOST_VALUES

_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
"""How YAML 1.2 (its core schema) writes numbers; infinity and NaN are as in YAML 1.1."""

_SAME = re.compile(r"true|false|null|~||[-+]?\.inf|\.nan", re.IGNORECASE)
"""Words that are not text, and mean the same in both."""

_LONGEST = 50
"""Characters of a number; a longer one is too large for any key."""

_NOT_MADE = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError)
"""What PyYAML raises where a value does not fit its tag: 2024-13-01, which it reads as a date, raises a ValueError,
`!!bool maybe` a KeyError, and a whole number beyond all floats an OverflowError."""


_MERGE = "tag:yaml.org,2002:merge"


class TooManyError(yaml.MarkedYAMLError):
    """More values than a config may have."""


def _too_many(node: yaml.Node) -> TooManyError:
    problem = f"found more than {MOST_VALUES:,} values, allowed: at most {MOST_VALUES:,}"
    return TooManyError(None, None, problem, node.start_mark)


class _Counted(yaml.composer.Composer):
    """Stops at too many values."""

    _values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """One more value, with all that is in it."""
        node = super().compose_node(parent, index)
        self._values += 1
        if node and self._values > MOST_VALUES:
            raise _too_many(node)
        return node


class Texts(_Counted, yaml.BaseLoader):
    """Reads every value as text, in lists and mappings."""


class Loader(_Counted, yaml.SafeLoader):
    """Refuses a duplicate key and a node that contains itself, and says where a value is wrong.

    After `get_single_data`, `doubtful` holds what readers of YAML read differently.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.doubtful: dict[tuple[int, int], str] = {}
        """Line and column, counted from 1 → the message about the value there."""
        self._keys: set[yaml.Node] = set()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As inherited; also notes which values are keys."""
        node = super().compose_node(parent, index)
        if node and isinstance(parent, yaml.MappingNode) and index is None:
            self._keys.add(node)
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Take over the keys of the mappings after `<<`, which may take over others': each counts once more."""
        inner = [value for key, value in node.value if key.tag == _MERGE]
        merged = [
            each for value in inner for each in (value.value if isinstance(value, yaml.SequenceNode) else [value])
        ]
        for each in (each for each in merged if isinstance(each, yaml.MappingNode)):
            self.flatten_mapping(each)
        if sum(len(each.value) for each in merged) > MOST_VALUES:
            raise _too_many(node)
        super().flatten_mapping(node)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ARG002 - shallow, a node could hold itself
        """What a value stands for."""
        try:
            value = super().construct_object(node, deep=True)
            if isinstance(value, int):
                float(value)
        except _NOT_MADE as error:
            problem = f"{shortened(repr(node.value))} is no {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error
        if isinstance(node, yaml.ScalarNode) and self._is_plain(node):
            self._compare(node, value)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are all different."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE or not isinstance(key_node, yaml.ScalarNode):
                continue
            key = self.construct_object(key_node)
            if key in seen:
                problem = f"the key {str(key)!r} occurs twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def _is_plain(self, node: yaml.ScalarNode) -> bool:
        """Whether readers decide by the characters alone what `node` is, so that they may differ."""
        if node.style or len(node.value) > _LONGEST:
            return False
        is_norms_key = node in self._keys and node.value == "on"  # which `config` understands
        by_itself: str = self.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
        return node.tag == by_itself and not is_norms_key

    def _compare(self, node: yaml.ScalarNode, value: Any) -> None:
        """Note a plain scalar that YAML 1.2 reads as something else than `value`."""
        other = _in_yaml_1_2(node.value, value)
        if type(other) is type(value) and repr(other) == repr(value):
            return
        taken = f"which YAML 1.1 takes for {_said(value)} and YAML 1.2 for {_said(other)}"
        numbers = [_said(read) for read in (value, other) if isinstance(read, bool | int | float)]
        write = f"{', '.join(numbers)} or " if numbers else ""
        place = node.start_mark.line + 1, node.start_mark.column + 1
        self.doubtful[place] = f"found {node.value}, {taken}; write {write}'{node.value}'"


def _in_yaml_1_2(text: str, value: Any) -> Any:
    """What a plain scalar is in YAML 1.2, given what it is in YAML 1.1."""
    if _SAME.fullmatch(text):
        return value
    return next((read(text) for pattern, read in _NUMBERS if pattern.fullmatch(text)), text)


def _said(value: Any) -> str:
    """A value as a config has it, or what it is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool | int | float):
        return str(yaml.safe_dump(value)).splitlines()[0]
    return "text" if isinstance(value, str) else f"a {type(value).__name__}"
