"""Messages name flags on the command line and keys in a config, and leave all else as it is."""

import pytest

from bnbench import cli
from bnbench.own_results import flags
from bnbench.vocabulary import SCHEMA


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        ("allowed: --factor with one of a, b", "allowed: results.factor with one of a, b"),
        ("runs.csv: --context: found", "runs.csv: results.contexts: found"),
        ("--better lower or --better higher", "results.better: lower or results.better: higher"),
        ("or --unpaired, if", "or results.unpaired: true, if"),
        ("or --duplicates mean; or --epoch step", "or results.duplicates: mean; or results.epoch step"),
        ("twice (--factor and --context), allowed", "twice (results.factor and results.contexts), allowed"),
        ("column '--factors': found '--x'", "column '--factors': found '--x'"),
    ],
)
def test_flags_become_keys(message, keys):
    assert flags.as_keys(message) == keys


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("the command line: report.margin: found 0", "--margin: found 0"),
        ("the command line: results.contexts[0]: found 3", "--context[0]: found 3"),
        ("the command line: study: found 'A'", "--name: found 'A'"),
        ("runs.csv: report.margin: found 0", "runs.csv: report.margin: found 0"),
        ("the command line: report.alpha: a\nthe command line: report.window: b", "--alpha: a\n--window: b"),
    ],
)
def test_keys_become_flags_at_the_beginning_of_a_line(message, said):
    assert flags.as_flags(message) == said


def test_each_key_of_results_has_a_name_on_the_command_line(capsys):
    with pytest.raises(SystemExit):
        cli.main(["judge", "--help"])
    shown = capsys.readouterr().out
    for key in SCHEMA["properties"]["results"]["properties"]:
        flag = {"contexts": "--context", "path": "path"}.get(key, f"--{key}")
        assert flag in shown
        assert flags.as_keys("--context" if key == "contexts" else f"--{key}").startswith(f"results.{key}")
