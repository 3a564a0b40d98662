"""Write the pages of docs/ that repeat what the code declares: `make docs`.

A page is a function that returns its text, and an entry in `PAGES`. The tests compare the files with these texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from bnbench import columns
from bnbench.catalogue import parameters
from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.registries import ENTRIES
from bnbench.outcomes import OUTCOMES, Outcome
from bnbench.plan import limits
from bnbench.plan.config import SCHEMA
from bnbench.store import schemas
from bnbench.vocabulary import FACTORS
from bnbench.wording import outcomes, titles

DOCS = Path(__file__).parent

Rule = Mapping[str, Any]

_KINDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "null": "null",
}
_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_TITLES = {
    "task": "Tasks",
    "network": "Networks",
    "norm": "Norms",
    "optimizer": "Optimizers",
    "schedule": "Schedules",
    "loss": "Losses",
    "metric": "Metrics",
}

_CONFIG = """\
<!-- Made by `make docs` from workflow/schemas/study.schema.yaml and workflow/bnbench/catalogue. Do not edit. -->
# The config

A study is one YAML file. [config.yaml](../config.yaml) is the default study;
[workflow/studies](../workflow/studies) holds others. Every key except `study` has a default.

- **Factors.** A key that is a factor may be a list of levels: `batch_size: [full, 25]`. The study trains every
  combination of levels.
- **Entries with parameters.** A task, a network, a norm, an optimizer, a schedule or a loss is a name, `norm: batch`,
  or a name with parameters, `norm: {name: batch, momentum: 0.01}`.
- **Your own code.** With the name `module`, a network, a norm, an optimizer, a loss or a metric calls a function or
  class in [your own Python file](networks.md).
- **Several values.** An entry may list values of its numbers: `{name: sgd, lr: [0.01, 0.1]}` makes two levels, and
  `{name: sgd, lr: [0.01, 0.1], momentum: [0, 0.9]}` four. With `tune`, each arm gets [its own
  best](statistics.md#a-fair-learning-rate-for-each-arm) of them.
- **Numbers.** Write `0.001` or `1.0e-3`, `true` or `false`. Readers of YAML disagree about `1e-3`, `012`, `1_000`,
  `1:30`, `yes` and `2024-01-01`, so a config may have them in quotes alone; the message says what to write instead. On
  the command line, `--config epochs=012` means 12.
- **Texts.** Letters of every script are welcome. Characters that show nothing or turn the direction of others are not.
  Begin a text that takes several lines with `>-`.
- **One run only.** `snakemake --cores all --config seeds=50 epochs=500` changes top-level keys without editing the
  file.
- **Mistakes.** Every mistake is reported before anything runs: the file, the key, what was found and what is allowed.
  `bnbench check --configfile my-study.yaml` only checks the config. `make report`, `bnbench run` and `snakemake`
  check it first, too. But `snakemake --configfile my-study.yaml` reads the file itself before: if that is broken YAML,
  Snakemake's own message does not say where, and `bnbench check` does.

## Limits

A config that is too large is refused at once, before it is planned.

LIMITS

## Keys
"""

_LIMITS_TOLD = [
    ["length of the file", f"{limits.MOST_BYTES // 1024} KiB", "longer YAML takes seconds to read"],
    ["values", f"{limits.MOST_VALUES:,}", "each is checked; an alias counts as all that it stands for"],
    ["lists and mappings within one another", f"{limits.MOST_DEEP}", "no key needs more than four"],
    ["settings", f"{limits.MOST_SETTINGS:,}", "each job plans all of them again, and the page shows each"],
    ["jobs", f"{limits.MOST_JOBS:,}", "Snakemake looks at all of them before it starts one"],
]


def config_page() -> str:
    """docs/config.md: every key of a study, then every entry that a key may name."""
    nested = [(key, rule, inner) for key, rule in SCHEMA["properties"].items() if (inner := _inner(rule))]
    intro = _CONFIG.replace("LIMITS\n", _table(["of", "at most", "why"], _LIMITS_TOLD))
    parts = [intro, _table(_KEYS, [_key(name, rule) for name, rule in SCHEMA["properties"].items()])]
    for key, rule, inner in nested:
        parts += [f"### `{key}`\n", _keys_inside(key, rule, inner)]
    for kind, registry in ENTRIES.items():
        named = next(key for key, rule in SCHEMA["properties"].items() if kind in (key, rule.get("entries")))
        parts += [f"## {_TITLES[kind]}\n", f"What `{named}` may name.\n"]
        for name, entry in registry.items():
            parts += [f"### {kind} `{name}`\n", *_entry(entry)]
    parts += ["## Activations\n", "What `activation` may name.\n", _table(["name", "what it is"], _activations())]
    return "\n".join(parts)


_COLUMNS = """\
<!-- Made by `make docs` from workflow/bnbench/columns.py and schemas.py. Do not edit. -->
# The columns of all tables

A name means the same thing in every table that has it. [results.md](results.md) says where to find the tables.

- **Result tables** are Parquet files under `results/`, written by the jobs that train.
- **Report tables** are CSV files in `reports/<study>/tables/`; `verdicts.json` holds them, too.
- **labels** stands for a column of labels for each factor. A table with a `treatment` column has no column for
  the compared factor.
- A cell without a value is empty in CSV, and null in Parquet and JSON.
- A text in CSV that a spreadsheet program would run as a formula, since it begins with `=`, `+`, `-`, `@`, a tab or the
  end of a line, has a single quote in front of it. Numbers keep their sign. `claims.csv` is written in the same way.
"""

_TYPES = {pa.string(): "text", pa.int64(): "whole number", pa.float64(): "number", pa.bool_(): "true or false"}


def columns_page() -> str:
    """docs/columns.md: the tables and what each holds, then every column."""
    parts = [_COLUMNS]
    for title, tables in (("Result tables", schemas.SCHEMAS), ("Report tables", schemas.TABLES)):
        parts += [f"## {title}\n", _table(["table", "holds", "columns"], [_held(*each) for each in tables.items()])]
    rows = [_column(field) for field in columns.COLUMNS.values()]
    return "\n".join([*parts, "## Columns\n", _table(["column", "type", "unit", "meaning"], rows)])


def _held(name: str, table: pa.Schema) -> list[str]:
    return [f"`{name}`", _sentence(schemas.description(table)), ", ".join(_names(table))]


def _names(table: pa.Schema) -> list[str]:
    """The columns of a table, those of labels in one word."""
    labels = ["labels"] if set(FACTORS) <= set(table.names) else []
    return labels + [f"`{column}`" for column in table.names if column not in FACTORS]


def _column(field: pa.Field) -> list[str]:
    return [f"`{field.name}`", _TYPES[field.type], schemas.unit(field), _sentence(schemas.description(field))]


_OUTCOMES = """\
<!-- Made by `make docs` from workflow/bnbench/outcomes.py and wording/outcomes.py. Do not edit. -->
# The outcomes

A trial can be judged by any of these outcomes. `report.outcome` names the one that decides; the page also shows most of
the others that the study measures.

- **By ratio**: the means are geometric, the effect is a ratio, and the margin is a ratio too: 1.05 stands for ratios
  from 1/1.05 to 1.05.
- **By difference**: the means are arithmetic, the effect is a difference, and the margin is a difference too. Shares
  are shown in percentage points: `margin: 0.005` is half a point.
- **The window** is the share `report.window` of the measured epochs, from the end, over which a trial's outcome is
  averaged. `best_test_loss` has none.

```yaml
report: {outcome: test_accuracy, margin: 0.005}
```
"""

_OWN_OUTCOME = [
    "your own metric",
    "the function that `metrics` names",
    "its `scale`: difference",
    "its `better`: higher",
    "its `margin`: 0.01, or 1.05 for ratios",
    "[every task](config.md#metrics)",
]


def outcomes_page() -> str:
    """docs/outcomes.md: every outcome that can decide, with its scale and direction."""
    heads = ["outcome", "what it is", "compared by", "better", "margin by default", "available for"]
    rows = [_outcome(OUTCOMES[name], meaning) for name, meaning in outcomes.MEANINGS.items()]
    return "\n".join([_OUTCOMES, _table(heads, [*rows, _OWN_OUTCOME])])


def _outcome(outcome: Outcome, meaning: str) -> list[str]:
    margin = "none: set one, in the target's own units"
    if outcome.margin is not None:
        points = " (1 percentage point)" if outcome.per_cent else ""
        margin = f"{outcome.margin:g}{points}"
    better = "lower" if outcome.lower_is_better else "higher"
    name, known = outcome.name, outcomes.KNOWN[outcome.name]
    return [f"`{name}`", f"{titles.measured(name)}: {meaning}", outcome.scale, better, margin, known]


PAGES: dict[str, Callable[[], str]] = {
    "config.md": config_page,
    "columns.md": columns_page,
    "outcomes.md": outcomes_page,
}
"""Name of each generated page → the function that gives its text."""


_KEYS = ["key", "allowed", "default", "factor", "meaning"]
_PARAMETERS = ["parameter", "allowed", "default", "meaning"]


def _inner(rule: Rule) -> Rule | None:
    """The rule of the mapping that a key holds, or of those in its list."""
    found: Rule = rule.get("items", {}) if rule.get("type") == "array" else rule
    return found if "properties" in found else None


def _keys_inside(key: str, rule: Rule, inner: Rule) -> str:
    prefix = f"{key}[]" if rule.get("type") == "array" else key
    rows = [_row(f"{prefix}.{name}", item, inner.get("required", [])) for name, item in inner["properties"].items()]
    return _table(["key", "allowed", "default", "meaning"], rows)


def _key(name: str, rule: Rule) -> list[str]:
    key, allowed, default, meaning = _row(name, rule, SCHEMA["required"])
    return [key, allowed, default, "yes" if rule.get("factor") else "", meaning]


def _row(name: str, rule: Rule, required: Sequence[str]) -> list[str]:
    needed = name.rpartition(".")[2] in required
    by_keys = rule.get("default") == {} and "properties" in rule
    default = "required" if needed else "[see below](#report)" if by_keys else f"`{_flow(rule['default'])}`"
    return [f"`{name}`", _allowed(rule), default, _sentence(rule["description"])]


def _entry(entry: type[Any]) -> Iterator[str]:
    """A class of the catalogue: what it is, and its parameters."""
    rule = parameters.schema(entry)
    yield f"{rule['description']}\n"
    rows = [_row(name, item, rule["required"]) for name, item in rule["properties"].items()]
    yield _table(_PARAMETERS, rows) if rows else "It has no parameters.\n"
    if rule["additionalProperties"]:
        yield "Any other parameter goes to what `build` names: a number, text, true, false, null, or a list of these.\n"


def _activations() -> list[list[str]]:
    return [[f"`{name}`", (entry.__doc__ or "").splitlines()[0]] for name, entry in ACTIVATIONS.items()]


_WORDS = {"activation": "[a name](#activations)", "factors": "any factor"}
"""What `words` in the schema stands for, in the page."""


def _allowed(rule: Rule) -> str:
    if "registry" in rule:
        return f"[a name](#{_TITLES[rule['registry']].lower()}), or a name with parameters"
    if "entries" in rule:
        return f"list of [{_TITLES[rule['entries']].lower()}](#{_TITLES[rule['entries']].lower()})"
    if rule.get("words") in _WORDS:
        return _WORDS[rule["words"]]
    if "enum" in rule:
        return ", ".join(f"`{_flow(word)}`" for word in rule["enum"])
    if "const" in rule:
        return f"`{rule['const']}`"
    options = [_allowed(option) for option in rule.get("anyOf", [])] + [_kind(kind, rule) for kind in _kinds(rule)]
    return ", or ".join(options) or "a level"


def _kind(kind: str, rule: Rule) -> str:
    """One type that a value may have, with its limits."""
    if kind in ("integer", "number"):
        return f"{_KINDS[kind]} {_limits(rule)}".strip()
    if kind == "array":
        least, most = rule.get("minItems"), rule.get("maxItems")
        size = f"{least} " if least and least == most else ""
        if "enum" in rule["items"]:
            return f"list of {_allowed(rule['items'])}"
        (items,) = _kinds(rule["items"])
        return f"list of {size}{_KINDS[items]}s {_limits(rule['items'])}".strip()
    return "lower-case letters, digits, - and _" if "pattern" in rule else _KINDS[kind]


def _limits(rule: Rule) -> str:
    if "minimum" in rule and "maximum" in rule:
        return f"from {_number(rule['minimum'])} to {_number(rule['maximum'])}"
    return " and ".join(f"{sign} {_number(rule[key])}" for key, sign in _LIMITS.items() if key in rule)


def _kinds(rule: Rule) -> list[str]:
    kinds: str | list[str] = rule.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _flow(value: Any) -> str:
    """A value as one writes it in YAML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return value
    text = json.dumps(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text  # else, text to YAML


def _sentence(description: str) -> str:
    return description[:1].upper() + description[1:]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
