"""What docs/extending.md promises: one class and one line add a norm, a task, an optimizer and so on, which then work.

And what a later version may do without moving an address: add a key or a parameter.
"""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from golden_addresses import FILE
from guide import class_of, examples
from packages import Package

from bnbench.plan import config, configfile

CONFIG = Path(__file__).parents[2] / "config.yaml"
GOLDEN = yaml.safe_load(FILE.read_text(encoding="utf-8"))[0]["addresses"]

ADDED = {
    "norm": ("norms", "NORMS", "length"),
    "task": ("tasks", "TASKS", "parabola"),
    "optimizer": ("optimizers", "OPTIMIZERS", "nesterov"),
    "schedule": ("schedules", "SCHEDULES", "linear"),
    "activation": ("activations", "ACTIVATIONS", "mish"),
    "loss": ("losses", "LOSSES", "log_cosh"),
}
"""What the guide adds → module of the catalogue, registry, name."""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A package with all that the guide adds, and a study of it in which the type of numbers is compared."""
    package = Package(tmp_path_factory.mktemp("extended"))
    for kind, source in examples().items():
        module, registry, name = ADDED[kind]
        of_task = '\n    def loss(self):\n        return "log_cosh"\n' * (kind == "task")
        entry = class_of(source)
        package.append(f"bnbench/catalogue/{module}.py", f'\n\n{source}{of_task}\n\n{registry}["{name}"] = {entry}\n')
    package.edit("schemas/study.schema.yaml", "  dtype:\n    changes_numbers: true\n", "  dtype:\n    factor: true\n")
    package.study(
        hidden=[4],
        epochs=3,
        evaluate_every=1,
        seeds=8,
        batch_size=[25],
        dtype=["float32", "float64"],
        report={"factor": "dtype", "baseline": "float32"},
        **{kind: name for kind, (_, _, name) in ADDED.items() if kind not in ("loss", "norm")},
        norm=["none", "length"],
    )
    assert "32 of 32 trials" in package.bnbench("plan")
    assert "reports/own/index.html" in package.run()
    return package


def test_one_class_and_one_line_add_each_of_them_and_a_change_of_one_is_trained_anew(extended):
    losses = pd.read_parquet(extended.folder / "results" / "losses")
    assert len(losses) == 32 * 3
    assert losses["test_loss"].notna().all()
    page = (extended.folder / "reports" / "own" / "index.html").read_text(encoding="utf-8")
    for shown in ("length norm", "parabola", "nesterov", "linear", "mish"):
        assert shown in page
    assert "nothing: every trial is there" in extended.bnbench("plan")

    before = extended.settings()
    extended.edit(
        "bnbench/catalogue/norms.py",
        "scale = (x.square().sum(2, keepdim=True) + self.eps).rsqrt()\n        return x * scale",
        "scale = (x.square().sum(2, keepdim=True) + self.eps).rsqrt()\n        return 2 * x * scale",
    )
    after = extended.settings()
    assert {address for address in before if "-none-" in address} == {*before} & {*after}
    assert "16 of 32 trials, in 2 jobs; 16 there already" in extended.bnbench("plan")
    extended.edit("bnbench/catalogue/losses.py", "(output - target).cosh()", "(2 * (output - target)).cosh()")
    assert "32 of 32 trials" in extended.bnbench("plan")


def test_a_key_that_is_marked_a_factor_is_compared_from_the_plan_to_the_page(extended):
    contexts = pd.read_csv(extended.folder / "reports" / "own" / "tables" / "contexts.csv")
    assert {*contexts.baseline} == {"float32"}
    assert {*contexts.treatment} == {"float64"}
    assert [*contexts.pairs] == [8, 8]
    assert [*contexts.verdict] == ["equivalent", "equivalent"]


def test_a_key_and_a_parameter_that_are_added_move_no_address_at_their_defaults(tmp_path):
    package = Package(tmp_path)
    package.edit(
        "schemas/study.schema.yaml",
        "  schedule:\n",
        "  dropout:\n    factor: true\n    description: the share of units that are dropped\n    type: number\n"
        '    default: 0.0\n    since: "9.0"\n  schedule:\n',
    )
    package.edit(
        "bnbench/catalogue/norms.py",
        '    eps: float = parameter(1e-5, "added to the variance", minimum=0)\n'
        '    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default\n'
        "    statistics: str = parameter(\n",
        '    eps: float = parameter(1e-5, "added to the variance", minimum=0)\n'
        '    affine: bool = parameter(True, "whether a trained scale and shift follow")  # noqa: FBT003 - a default\n'
        '    clip: float = parameter(0.0, "where the output is cut off; 0: nowhere", since="9.0")\n'
        "    statistics: str = parameter(\n",
    )
    default = {**yaml.safe_load(CONFIG.read_text(encoding="utf-8")), "task": "sine"}

    package.study(**{**default, "study": "own"})
    found = package.settings()
    assert [*found] == GOLDEN
    assert not any("dropout" in spec or "clip" in spec for spec in found.values())

    package.study(**{**default, "study": "own", "dropout": [0, 0.5]})
    assert [address for address in package.settings() if address in GOLDEN] == GOLDEN
    assert len(package.settings()) == 2 * len(GOLDEN)
    package.study(**{**default, "study": "own", "norm": ["none", {"name": "batch", "clip": 3}]})
    moved = package.settings()
    assert [address in GOLDEN for address in moved] == ["-none-" in address for address in moved]

    # What a file of today says of its setting, and a job of today is handed, is understood later.
    today = {each.address: each.to_json() for each in config.load(configfile.read(CONFIG), "config.yaml").settings}
    code = f"""
import json
from bnbench.plan.settings import Setting
for address, spec in json.loads({json.dumps(today)!r}).items():
    setting = Setting.from_spec(json.loads(spec))
    assert (setting.address, setting.spec["dropout"], setting.labels["dropout"]) == (address, 0.0, "0.0"), setting
print(len(setting.labels))
"""
    assert int(package.python(code)) > 0

    package.edit("schemas/study.schema.yaml", "  dtype:\n    changes_numbers: true\n", "  dtype:\n    factor: true\n")
    package.study(**{**default, "study": "own"})
    assert [*package.settings()] == GOLDEN
