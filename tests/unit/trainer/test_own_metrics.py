"""Metrics of the user's own: what they are called with in both engines, what they may give, and what is told."""

import numpy as np
import pytest
import torch
from specs import named, spec
from tiny import theirs

from bnbench import train as train_job
from bnbench.catalogue import tasks
from bnbench.errors import UserError
from bnbench.plan import engines
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files
from bnbench.trainer import dry_run, own_metrics
from bnbench.trainer.chunk import train

CPU = torch.device("cpu")
ENGINES = ["stacked", "modular"]
BRIER = """\
def brier(output, target):
    return (output.softmax(1) - target).square().sum(1).mean()
"""


@pytest.fixture
def metric(tmp_path):
    """The entry of a metric, the function `score` of a file of this text or of this body."""

    def made(text, build="score", **options):
        path = tmp_path / f"{build}.py"
        if "def " not in text:
            text = f"import torch\n\n\ndef {build}(output, target):\n    {text}\n"
        path.write_text(text)
        return theirs("metric", build, path=path, **options)

    return made


def small(*entries, **changes):
    return spec(**{"metrics": [*entries], "batch_size": 25, "epochs": 4, "evaluate_every": 2, **changes})


def trained(setting, seeds=range(3, 6)):
    return train(setting, seeds, [tasks.of(setting).data(seed) for seed in seeds], CPU)


def refusal(setting):
    data = tasks.of(setting).data(3)
    with pytest.raises(UserError) as refused:
        own_metrics.check(setting, 3, data)
    return str(refused.value)


def test_a_metric_does_not_change_the_engine(metric):
    assert engines.engine(small(metric("return output.mean()"))) == "stacked"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_metric_sees_the_outputs_at_the_test_points_and_their_targets(metric, engine, monkeypatch):
    monkeypatch.setattr(engines, "engine", lambda _: engine)
    digits = {"task": named("task", "digits", test_fraction=0.9), "dtype": "float64"}
    squared = metric("return (output - target).square().mean().item()", "squared")
    entry = metric(
        BRIER + "\n\ndef cross(output, target):\n    return -(target * output.log_softmax(1)).sum(1).mean()\n", "cross"
    )
    found = trained(small(entry, squared, **digits, batch_size=60)).losses
    np.testing.assert_allclose(found["cross"], found["test_loss"], rtol=1e-9)
    assert list(found)[-2:] == ["cross", "squared"]
    sine = trained(small(squared, dtype="float64")).losses
    np.testing.assert_allclose(sine["squared"], sine["test_loss"], rtol=1e-9)


def test_both_engines_give_the_same(metric, monkeypatch):
    found = {}
    setting = small(metric("return output.square().sum().sqrt()"), dtype="float64")
    for name in ENGINES:
        monkeypatch.setattr(engines, "engine", lambda _, name=name: name)
        found[name] = trained(setting).losses["score"]
    assert np.isfinite(found["stacked"][-1]).all()
    np.testing.assert_allclose(found["stacked"], found["modular"], rtol=1e-9)


NUMBERS = {
    "a float": "return 1.5",
    "a whole number": "return 1.5 * 2 - 1.5",
    "a tensor": "return torch.tensor(1.5)",
    "one of NumPy's": "return output.mean().numpy() * 0 + 1.5",
    "an array of NumPy's": "import numpy; return numpy.asarray(1.5)",
    "one that takes gradients": (
        "with torch.enable_grad():\n        leaf = output.requires_grad_()\n"
        "        (slope,) = torch.autograd.grad(leaf.sum(), leaf)\n    return 1.5 * slope.mean()"
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("body", NUMBERS.values(), ids=NUMBERS)
def test_any_number_will_do(metric, body, engine, monkeypatch):
    monkeypatch.setattr(engines, "engine", lambda _: engine)
    assert (trained(small(metric(body))).losses["score"][[1, 3]] == 1.5).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_metric_does_to_its_tensors_is_done_to_copies(metric, engine, monkeypatch):
    monkeypatch.setattr(engines, "engine", lambda _: engine)
    spoiling = metric("output.zero_(); target.zero_(); return output.sum()")
    found, plain = trained(small(spoiling)), trained(small())
    for name, values in plain.losses.items():
        np.testing.assert_array_equal(found.losses[name], values)
    np.testing.assert_array_equal(found.fit, plain.fit)


@pytest.mark.parametrize("engine", ENGINES)
def test_its_bits_depend_on_its_seed_alone_even_where_it_draws_random_numbers(metric, engine, monkeypatch):
    monkeypatch.setattr(engines, "engine", lambda _: engine)
    setting = small(metric("return (output[torch.randint(len(output), (9,))] ** 3).mean() + torch.rand(())"))
    together = trained(setting, range(3, 8)).losses["score"]
    assert len(np.unique(together[[1, 3]])) == 10
    for place, seeds in ((0, range(3, 4)), (2, range(5, 8))):
        np.testing.assert_array_equal(together[:, place : place + len(seeds)], trained(setting, seeds).losses["score"])


def test_options_of_the_config_go_to_the_function(metric):
    entry = metric("def score(target, share):\n    return share * len(target)\n", share=0.5)
    assert (trained(small(entry)).losses["score"][[1, 3]] == 15).all()


def test_a_metric_that_is_no_number_is_no_divergence(metric):
    found = trained(small(metric("return float('nan')")))
    assert found.diverged_at == [None, None, None]
    assert np.isnan(found.losses["score"]).all()
    assert np.isfinite(found.losses["test_loss"][-1]).all()


MISTAKES = {
    "a vector": ("return (output - target).square()[:, 0]", r"gives [30] for 30 points, allowed: one number"),
    "a vector of one": ("return output.mean(0)", r"gives [1] for 30 points"),
    "nothing": ("output.mean()", "gives a NoneType for 30 points"),
    "text": ("return '0.5'", "gives a str for 30 points"),
    "a complex number": ("return torch.tensor(1j)", "gives a complex for 30 points"),
}


@pytest.mark.parametrize(("body", "said"), MISTAKES.values(), ids=MISTAKES)
def test_what_is_no_number_is_refused_before_anything_is_trained(metric, body, said):
    entry = metric(body)
    told = refusal(small(entry))
    assert told.startswith(f"{entry['path']}: score: the metric {said}")
    assert "\n" not in told


def test_an_error_in_it_is_told_in_three_lines_with_its_own_file_and_line(metric):
    entry = metric("return output @ target")
    first, second, third = refusal(small(entry)).splitlines()
    assert first.startswith(f"{entry['path']}:5: in score: RuntimeError: mat1 and mat2 shapes cannot be multiplied")
    assert second == "    return output @ target"
    assert third == "while bnbench measures score"


def test_a_negative_ratio_is_refused(metric):
    assert refusal(small(metric("return -2.0", scale="ratio"))).endswith(
        "the metric gives -2 for outputs drawn at random, allowed with scale: ratio: 0 or more, since arms are "
        "compared by its ratio"
    )
    assert trained(small(metric("return -2.0"))).losses["score"][-1].tolist() == [-2.0] * 3


def test_one_that_is_nan_is_told_of_and_allowed(metric):
    setting = small(metric("return output.mean() * float('nan')"))
    (told,) = own_metrics.check(setting, 3, tasks.of(setting).data(3))
    assert "score: the metric gives NaN for outputs drawn at random; a study cannot be judged by it" in told


@pytest.mark.parametrize("engine", ENGINES)
def test_a_job_tries_it_too(metric, engine, monkeypatch):
    monkeypatch.setattr(engines, "engine", lambda _: engine)
    with pytest.raises(UserError, match="gives a NoneType"):
        trained(small(metric("pass")))


def test_two_points_may_be_too_few_for_it_in_the_dry_run(metric):
    setting = small(metric("assert len(output) == 30; return 1.0"), network=named("network", "mlp", dropout=0.2))
    dry_run.check(setting, 3, tasks.of(setting).data(3))
    assert (trained(setting).losses["score"][-1] == 1).all()


def test_tables_have_a_column_of_it(metric, tmp_path):
    chunk = Chunk(Setting.from_spec(small(metric("return output.abs().mean()"))), 3, 2)
    train_job.run(chunk, tmp_path, 1)
    for kind in ("losses", "trials"):
        table = chunk_files.read(chunk, kind, tmp_path)
        assert table.column_names[-1] == "score"
        assert table["score"].null_count == (4 if kind == "losses" else 0)
