"""Updates of one network against plain torch: any optimizer, several batches a step, clipping, decay, warm-up."""

from pathlib import Path

import numpy as np
import pytest
import torch
import user_code
from beside_plain import assert_equals_plain_torch
from specs import named
from tiny import engine_of, images, module_of, theirs, trained

pytestmark = pytest.mark.usefixtures("tiny_images")


class Asking:
    """What asks for the loss more than once in a step, which counts with the first."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def __call__(self, compute):
        losses = []

        def closure():
            losses.append(compute())
            return losses[-1]

        self.optimizer.step(closure)
        return losses[0].item()


class Several:
    """Optimizers that make a step together; `before` and `after` it something else is done."""

    def __init__(self, *optimizers, before=lambda: None, after=lambda: None):
        self.optimizers, self.before, self.after = optimizers, before, after

    def __call__(self, compute):
        loss = compute().item()
        self.before()
        for optimizer in self.optimizers:
            optimizer.step()
        self.after()
        return loss


def arm(name, **options):
    return named("norm", name, **options)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("network", ["cnn", "resnet"])
def test_lbfgs_equals_plain_torch(network, norm, search):
    # A step runs through its batch three times: more of them would let rounding grow.
    options = {"lr": 0.2, "max_iter": 3, "history_size": 5, "line_search_fn": search}
    setting = images(network, norm=arm(norm), optimizer=named("optimizer", "lbfgs", **options), batch_size="full")
    assert_equals_plain_torch(setting, lambda parameters: Asking(torch.optim.LBFGS(parameters, **options)))


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("network", ["cnn", "resnet"])
def test_adafactor_equals_plain_torch(network, norm):
    options = {"lr": 0.02, "weight_decay": 0.1}
    setting = images(network, norm=arm(norm), optimizer=named("optimizer", "adafactor", **options))
    assert_equals_plain_torch(setting, lambda parameters: torch.optim.Adafactor(parameters, **options))


def muon(parameters, decay_of_others):
    """Muon for matrices, and for filters as matrices of one row a filter; AdamW for the rest."""
    parameters = [*parameters]
    filters = [each for each in parameters if each.ndim > 2]
    flat = [torch.nn.Parameter(each.detach().clone().flatten(1)) for each in filters]
    matrices = [each for each in parameters if each.ndim == 2]
    options = {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.9}
    update = torch.optim.Muon([*flat, *matrices], **options, nesterov=True, adjust_lr_fn="match_rms_adamw")
    others = [each for each in parameters if each.ndim < 2]

    @torch.no_grad()
    def lay_flat():
        for one, matrix in zip(filters, flat, strict=True):
            matrix.copy_(one.flatten(1))
            matrix.grad = one.grad.flatten(1)

    @torch.no_grad()
    def take_back():
        for one, matrix in zip(filters, flat, strict=True):
            one.copy_(matrix.view_as(one))

    rest = torch.optim.AdamW(others, lr=0.02, weight_decay=decay_of_others)
    return Several(update, rest, before=lay_flat, after=take_back)


@pytest.mark.parametrize(("decayed", "decay_of_others"), [("all", 0.1), ("weights", 0.0)])
@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("network", ["cnn", "resnet"])
def test_muon_of_matrices_and_filters_equals_plain_torch(network, norm, decayed, decay_of_others):
    options = {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.9, "weight_decay_on": decayed}
    setting = images(network, norm=arm(norm), optimizer=named("optimizer", "muon", **options))
    assert_equals_plain_torch(setting, lambda parameters: muon(parameters, decay_of_others))


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_filters_that_lie_in_memory_in_another_order_are_trained_as_others_are(optimizer, tmp_path):
    contiguous, code = tmp_path / "nets.py", Path(user_code.__file__).read_text()
    contiguous.write_text(code.replace("body.to(memory_format=torch.channels_last)", "body"))
    entries = theirs("network", "channels_last"), theirs("network", "channels_last", contiguous)
    settings = [images(entry, optimizer=named("optimizer", optimizer, lr=0.01)) for entry in entries]
    (one, engine), (other, _) = map(trained, settings)
    assert not torch.equal(module_of(engine)[0].weight, module_of(engine_of(settings[0], [3]))[0].weight)
    np.testing.assert_allclose(one.losses["eval_loss"], other.losses["eval_loss"], rtol=1e-9)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_an_optimizer_of_a_file_equals_itself_in_a_plain_loop(norm):
    entry = theirs("optimizer", "Signs", lr=0.01, decay=0.8)
    setting = images(norm=arm(norm), optimizer=entry)
    assert_equals_plain_torch(setting, lambda parameters: user_code.Signs(parameters, 0.01, 0.8))


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_an_optimizer_of_a_file_that_asks_twice_equals_itself_in_a_plain_loop(norm):
    setting = images(norm=arm(norm), optimizer=theirs("optimizer", "TwoLooks", lr=0.05))
    assert_equals_plain_torch(setting, lambda parameters: Asking(user_code.TwoLooks(parameters, 0.05)))


@pytest.mark.parametrize(("norm", "longest"), [("none", 0.5), ("batch", 2.5)])
def test_clipping_equals_plain_torch(norm, longest):
    def clipped(parameters):
        parameters = [*parameters]
        optimizer = torch.optim.SGD(parameters, lr=0.05, momentum=0.9)

        def clip():
            length = torch.nn.utils.clip_grad_norm_(parameters, longest)
            lengths.append(length.item())

        return Several(optimizer, before=clip)

    lengths = []
    entry = named("optimizer", "momentum", lr=0.05, clip=longest)
    assert_equals_plain_torch(images("resnet", norm=arm(norm), optimizer=entry), clipped)
    assert min(lengths) < longest < max(lengths)


def test_gradients_of_an_optimizer_that_asks_twice_are_clipped_both_times():
    def clipped(parameters):
        parameters = [*parameters]
        asking = Asking(user_code.TwoLooks(parameters, 0.05))

        def update(compute):
            def compute_clipped():
                loss = compute()
                torch.nn.utils.clip_grad_norm_(parameters, 0.1)
                return loss

            return asking(compute_clipped)

        return update

    assert_equals_plain_torch(images(optimizer=theirs("optimizer", "TwoLooks", lr=0.05, clip=0.1)), clipped)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_weight_decay_of_weights_alone_equals_groups_of_parameters(name):
    def grouped(parameters):
        parameters = [*parameters]
        wide, narrow = ([each for each in parameters if (each.ndim > 1) == is_wide] for is_wide in (True, False))
        groups = [{"params": wide, "weight_decay": 0.2}, {"params": narrow, "weight_decay": 0.0}]
        return {
            "sgd": torch.optim.SGD,
            "adam": torch.optim.Adam,
            "adamw": torch.optim.AdamW,
            "rmsprop": torch.optim.RMSprop,
        }[name](groups, lr=0.01)

    entry = named("optimizer", name, lr=0.01, weight_decay=0.2, weight_decay_on="weights")
    assert_equals_plain_torch(images(optimizer=entry), grouped)
    everything = trained(images(optimizer=entry | {"weight_decay_on": "all"}))[0]
    assert everything.losses["eval_loss"][-1] != trained(images(optimizer=entry))[0].losses["eval_loss"][-1]


def test_warm_up_equals_a_schedule_of_torch():
    batches, steps = 3, []

    def warmed(parameters):
        optimizer = torch.optim.SGD(parameters, lr=0.1)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1.0, (epoch + 1) / 4))

        def count():
            steps.append(optimizer.param_groups[0]["lr"])
            if len(steps) % batches == 0:
                schedule.step()

        return Several(optimizer, after=count)

    entry = named("optimizer", "sgd", lr=0.1)
    setting = images(optimizer=entry, schedule=named("schedule", "constant", warmup=3), epochs=5)
    assert_equals_plain_torch(setting, warmed)
    assert steps[::batches] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])


def test_muon_updates_weights_that_a_forward_pass_moves_to_other_memory():
    odd = theirs("network", "Assigned", Path(user_code.__file__).with_name("odd_code.py"))
    setting = images(odd, optimizer=named("optimizer", "muon", lr=0.1, weight_decay=0.0), epochs=1)
    initial = module_of(engine_of(setting, [3])).middle.weight.detach()
    final = module_of(trained(setting)[1]).middle.weight.detach()
    assert not torch.allclose(final / final.norm(), initial / initial.norm(), atol=0.01)
