"""A class that the golden losses do not guard leaves a trace of its source in the address of its trials."""

import json
from dataclasses import dataclass, replace

import pytest
from configs import refusal

from bnbench import train
from bnbench.catalogue.activations import ACTIVATIONS, Activation
from bnbench.catalogue.losses import LOSSES, Loss
from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS, LayerNorm
from bnbench.catalogue.optimizers import OPTIMIZERS, SGD
from bnbench.catalogue.schedules import SCHEDULES, Schedule
from bnbench.catalogue.tasks import TASKS, Sine
from bnbench.plan import config
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting

SMALL = {"study": "small", "hidden": [4], "epochs": 4, "batch_size": ["full"], "optimizer": ["adam"]}


def plan(**changes):
    return config.load({**SMALL, **changes}, "small.yaml")


def addresses(**changes):
    return [setting.address for setting in plan(**changes).settings]


def first():
    """One class of each kind, the task asking for the loss."""

    @dataclass(frozen=True)
    class OwnNorm(Norm):
        """A norm."""

        def forward(self, x, parameters, buffers):
            return x / 2, None

    @dataclass(frozen=True)
    class OwnTask(Sine):
        """A task."""

        def loss(self):
            return "own"

    @dataclass(frozen=True)
    class OwnOptimizer(SGD):
        """An optimizer."""

    @dataclass(frozen=True)
    class OwnSchedule(Schedule):
        """A schedule."""

        def factor(self, epoch, epochs):
            return 1.0

    class OwnActivation(Activation):
        """An activation."""

        function = "mish"

    class OwnLoss(Loss):
        """A loss."""

        def forward(self, output, target):
            return (output - target).abs()

    return dict(zip(REGISTRIES, [OwnTask, OwnNorm, OwnOptimizer, OwnSchedule, OwnActivation, OwnLoss], strict=True))


def second():
    """The same with another source."""

    @dataclass(frozen=True)
    class OwnNorm(Norm):
        """A norm."""

        def forward(self, x, parameters, buffers):
            return x / 3, None

    @dataclass(frozen=True)
    class OwnTask(Sine):
        """A task."""

        def loss(self):
            return ["own"][0]

    @dataclass(frozen=True)
    class OwnOptimizer(SGD):
        """Another optimizer."""

    @dataclass(frozen=True)
    class OwnSchedule(Schedule):
        """A schedule."""

        def factor(self, epoch, epochs):
            return 0.5

    class OwnActivation(Activation):
        """An activation."""

        function = "softplus"

    class OwnLoss(Loss):
        """A loss."""

        def forward(self, output, target):
            return (output - target).abs() / 2

    return dict(zip(REGISTRIES, [OwnTask, OwnNorm, OwnOptimizer, OwnSchedule, OwnActivation, OwnLoss], strict=True))


REGISTRIES = {
    "task": TASKS,
    "norm": NORMS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "activation": ACTIVATIONS,
    "loss": LOSSES,
}
OWN = {"task": "own", "norm": ["none", "own"], "optimizer": ["own"], "schedule": "own", "activation": "own"}


@pytest.fixture
def own(monkeypatch):
    """Classes of one's own under the name `own`; returns what puts another one in the place of one of them."""

    def put(kind, entry):
        monkeypatch.setitem(REGISTRIES[kind], "own", entry)

    for kind, entry in first().items():
        put(kind, entry)
    # The schema's words are read when the package is imported.
    monkeypatch.setitem(config.SCHEMA["properties"]["activation"], "enum", [*ACTIVATIONS])
    return put


@pytest.mark.parametrize("kind", REGISTRIES)
def test_a_class_that_changes_has_another_address_and_leaves_all_others_where_they_are(own, kind):
    using = {kind: OWN[kind]} if kind != "loss" else {"task": "own"}
    before, others = addresses(**using), addresses()
    own(kind, second()[kind])
    after = addresses(**using)
    changed = after[1:] if kind == "norm" else after
    assert not {*before} & {*changed}
    assert addresses() == others
    own(kind, first()[kind])
    assert addresses(**using) == before


def test_a_class_that_one_inherits_from_is_part_of_its_source(monkeypatch):
    def inheriting(base):
        @dataclass(frozen=True)
        class Heir(base):
            """It adds nothing."""

        return Heir

    found = []
    for base in (first()["norm"], second()["norm"], LayerNorm, LayerNorm):
        monkeypatch.setitem(NORMS, "heir", inheriting(base))
        found.append(addresses(norm=["none", "heir"])[1])
    assert len({*found}) == 3
    assert found[2] == found[3]


def test_a_source_is_in_no_label_and_comes_back_from_what_a_job_and_a_file_are_handed(own):
    study = plan(**OWN)
    for setting in study.settings:
        assert Setting.from_spec(json.loads(setting.to_json())) == setting
        assert setting.labels["norm"] in {"none", "own"}
    assert study.settings[0].spec["sources"].keys() == {*REGISTRIES} - {"norm"}
    assert study.settings[1].spec["sources"].keys() == {*REGISTRIES}
    assert "sources" not in plan().config
    assert "sources" not in plan().settings[0].spec


def test_a_job_refuses_a_class_that_is_not_the_one_of_the_plan(own, tmp_path):
    setting = plan(**OWN).settings[1]
    own("loss", second()["loss"])
    assert refusal(train.run, Chunk(setting, 0, 2), tmp_path, 1) == (
        f"{setting.address}: the class of loss 'own' changed since the study was planned; start the same command "
        "again, and where jobs run in an image, build it again first"
    )
    train.run(Chunk(plan(**OWN).settings[1], 0, 2), tmp_path, 1)
    assert [*tmp_path.glob("losses/*/seeds-0-1.parquet")]


def test_a_job_refuses_a_class_of_which_the_plan_has_no_trace(own, tmp_path):
    setting = plan(norm=["none", "own"]).settings[1]
    spec = {key: value for key, value in setting.spec.items() if key != "sources"}
    assert "the class of norm 'own' changed" in refusal(
        train.run, Chunk(replace(setting, spec=spec), 0, 2), tmp_path, 1
    )


def test_a_class_that_stands_in_no_file_is_refused(own):
    namespace = {}
    exec(
        "from bnbench.catalogue.activations import Activation\nclass A(Activation):\n    function = 'mish'\n", namespace
    )
    own("activation", namespace["A"])
    assert "class A: its source cannot be read" in refusal(config.load, {**SMALL, "activation": "own"}, "x")


def test_a_task_that_asks_for_a_loss_which_is_not_there_is_refused(own, monkeypatch):
    monkeypatch.delitem(LOSSES, "own")
    assert refusal(config.load, {**SMALL, "task": "own"}, "x.yaml") == (
        "x.yaml: task: class OwnTask names as its loss() 'own', allowed: one of squared, absolute, huber, "
        "cross_entropy, binary"
    )
