"""Code of a user's that a config names: what the planner reads of it, and how `bnbench check` tells what is wrong."""

from pathlib import Path

import pytest
import yaml
from configs import refusal
from specs import OWN, own, with_own, written_own

from bnbench import cli
from bnbench.catalogue import userfiles
from bnbench.catalogue.own import OwnCode
from bnbench.catalogue.parameters import build
from bnbench.catalogue.registries import ENTRIES, REGISTRIES
from bnbench.plan import config, configfile

NETS = Path(written_own("network")["path"]).read_text(encoding="utf-8")
NETWORK = "network: {name: module, path: nets.py, build: my_net}\n"


def addresses(**keys):
    found = config.load({"study": "x", "batch_size": 25, "optimizer": "adam", **keys}, "x.yaml")
    return [setting.address for setting in found.settings]


def test_six_kinds_of_entries_may_name_a_users_code():
    assert {kind for kind, registry in ENTRIES.items() if "module" in registry} == {*OWN}
    assert all(issubclass(ENTRIES[kind]["module"], OwnCode) for kind in OWN)


@pytest.mark.parametrize("kind", OWN)
def test_the_planner_fills_in_the_hash_and_what_the_function_takes(kind):
    entry = own(kind)
    assert entry["sha256"] == userfiles.sha256(entry["path"])
    assert (
        entry["takes"]
        == {
            "network": ["inputs", "norm", "outputs"],
            "norm": ["channels"],
            "optimizer": ["lr", "params"],
            "loss": ["output", "target"],
            "metric": ["output", "target"],
            "task": [],
        }[kind]
    )


def test_its_further_parameters_are_its_options():
    built = build(REGISTRIES["network"], own("network", depth=3, widths=[4, 5]))
    assert built.options == {"depth": 3, "widths": (4, 5)}
    assert build(REGISTRIES["optimizer"], own("optimizer", momentum=0.5)).options == {"momentum": 0.5}


@pytest.mark.parametrize("kind", OWN)
def test_a_file_counts_by_its_bytes_and_not_by_where_it_lies(tmp_path, kind):
    def found(folder, text):
        (tmp_path / folder).mkdir(exist_ok=True)
        path = tmp_path / folder / "nets.py"
        path.write_text(text, encoding="utf-8")
        return addresses(**with_own(kind, {**written_own(kind), "path": str(path)}))[-1]

    code = Path(written_own(kind)["path"]).read_text(encoding="utf-8")
    before = found("a", code)
    assert found("b", code) == before
    assert found("a", code + "# a comment\n") != before
    assert found("a", code) == before


def test_the_order_of_the_options_does_not_count_and_their_values_do():
    one, two = ({"depth": 2, "widths": [4]}, {"widths": [4], "depth": 2})
    assert [*one] != [*two]
    assert addresses(network=written_own("network", **one)) == addresses(network=written_own("network", **two))
    assert addresses(network=written_own("network", **one)) != addresses(network=written_own("network", depth=2))


def test_an_option_may_have_the_name_of_a_key_that_other_networks_read(write):
    write("def my_net(norm, inputs, outputs, hidden, activation=None):\n    pass\n", "nets.py")
    entry = {"name": "module", "path": "nets.py", "build": "my_net", "hidden": [8]}
    study = config.load({"study": "x", "network": entry, "batch_size": 25}, "x.yaml")
    assert study.settings[0].labels["network"] == "my_net hidden=8"
    assert addresses(network=entry) == addresses(network=entry, hidden=[99], activation="tanh")
    assert addresses(network=entry) != addresses(network={**entry, "hidden": [9]})


def test_two_levels_of_one_label_are_refused(write):
    for name in ("one.py", "two.py"):
        write(f"# {name}\n{NETS}", name)
    entries = [{"name": "module", "path": path, "build": "my_net"} for path in ("one.py", "two.py")]
    said = refusal(config.load, {"study": "x", "network": entries, "batch_size": 25}, "x.yaml")
    assert said == (
        "x.yaml: network[1]: two levels are called 'my_net', allowed: levels that differ in their names or parameters"
    )
    entries[1]["depth"] = 2
    assert len({*addresses(network=entries)}) == 4


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("taken", ["sha256", "takes", "options"])
def test_what_the_planner_fills_in_is_not_the_users_to_say(kind, taken):
    entry = written_own(kind, **{taken: 1})
    said = refusal(config.resolve, {"study": "x", **with_own(kind, entry)}, "x.yaml")
    assert f": found the parameter '{taken}', allowed: other names, since bnbench fills in this one" in said


@pytest.mark.parametrize("kind", OWN)
def test_what_bnbench_hands_over_is_not_the_users_to_say(kind):
    for taken in {*ENTRIES[kind]["module"].supplied} - {"lr"}:
        entry = written_own(kind, **{taken: 1})
        said = refusal(config.resolve, {"study": "x", **with_own(kind, entry)}, "x.yaml")
        assert f": found the parameter '{taken}', allowed: other names" in said


@pytest.mark.parametrize(
    ("content", "keys", "message"),
    [
        (None, NETWORK, "network: nets.py: cannot read the Python file (No such file or directory)"),
        (b"\xff", NETWORK, "network: nets.py: not a text file in UTF-8 (invalid start byte at byte 0)"),
        ("def my_net(norm):\n    return (\n", NETWORK, "network: nets.py:2: SyntaxError: '(' was never closed"),
        ("def my_nets(norm):\n    pass\n", NETWORK,
         "network: nets.py: no 'my_net' (did you mean 'my_nets'?); the file defines my_nets"),
        ("import torch\n\n\ndef my_net(norm, depth):\n    pass\n", NETWORK,
         "network: nets.py:4: my_net needs 'depth'; give a value in the config, or a default in the file"),
        ("def my_net(norm, depth=1):\n    pass\n", NETWORK.replace("}", ", deph: 2}"),
         "network: nets.py:1: my_net has no parameter 'deph' (did you mean 'depth'?); allowed: depth"),
        ("def my_net(norm, /):\n    pass\n", NETWORK,
         "network: nets.py:1: my_net takes 'norm' by its position only, allowed: parameters that are passed by name; "
         "take the '/' out"),
        ("class MyNorm:\n    def __init__(self, width):\n        pass\n",
         "norm: [none, {name: module, path: nets.py, build: MyNorm, on: [hidden]}]\n",
         "norm[1]: nets.py:2: MyNorm needs 'width'; give a value in the config, or a default in the file"),
        ("def my_loss(output):\n    pass\n", "loss: {name: module, path: nets.py, build: my_loss, power: 2}\n",
         "loss: nets.py:1: my_loss has no parameter 'power'; allowed: none"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_users_file_is_told_by_check_in_a_line_before_anything_runs(
    write, capsys, content, keys, message
):
    write(f"study: small\n{keys}", "config.yaml")
    if content is not None:
        write(content, "nets.py")
    assert cli.main(["check"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"config.yaml: {message}\n")


ON = "norm: [none, {name: batch, on: [output, input]}]\nreport: {baseline: {name: batch, on: [input, output]}}\n"


def test_on_needs_no_quotes(write):
    written = configfile.read(write(f"study: x\n{ON}", "config.yaml"))
    assert True in written["norm"][1]
    by_command_line = configfile.parse_overrides(["norm=[none, {name: batch, on: [input, output]}]"])
    quoted = yaml.safe_load(ON.replace("on:", '"on":'))
    for found in (written, {**written, **by_command_line}, {"study": "x", **quoted}):
        study = config.load(found, "x.yaml")
        assert study.arms == ("batch on=input,output", "none")
        assert study.settings[-1].spec["norm"]["on"] == ["input", "output"]


def test_a_wrong_place_is_told_by_its_name_without_quotes_too(write):
    content = configfile.read(write("study: x\nnorm: [none, {name: batch, layers: [], on: [inputs]}]\n"))
    said = "found 'inputs' (text) (did you mean 'input'?), allowed: one of hidden, input, output"
    with pytest.raises(config.UserError) as caught:
        config.load(content, "x.yaml")
    assert str(caught.value).splitlines()[1] == f"x.yaml: norm[1].on[0]: {said}"
