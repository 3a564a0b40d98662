"""Several batches a step: one step by the mean gradient of all their examples.

For arms without statistics of the batch that is the step of one large batch. For BN it is the step of ghost BN of the
small batches' size, running statistics included: both take a step of them for each small batch, in the same order. The
losses of training mode are means over batches that count alike, so that those of an epoch differ where batches do.
"""

import numpy as np
import pytest
import torch
from specs import named
from tiny import engine_of, images, module_of, trained

pytestmark = pytest.mark.usefixtures("tiny_images")
MEASURED = ("eval_loss", "test_loss", "test_loss_precise")


def arm(name, **options):
    return named("norm", name, **options)


def assert_same_networks(one, other):
    """The same losses in evaluation mode after every epoch, and the same weights and statistics at the end."""
    (found, engine), (expected, reference) = trained(one), trained(other)
    for name in MEASURED:
        np.testing.assert_allclose(found.losses[name], expected.losses[name], rtol=1e-9)
    theirs = module_of(reference).state_dict()
    for name, values in module_of(engine).state_dict().items():
        torch.testing.assert_close(values, theirs[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "muon"])
@pytest.mark.parametrize("norm", ["none", "group", "layer", "rms", "population"])
@pytest.mark.parametrize("network", ["cnn", "resnet"])
def test_a_step_of_two_batches_is_that_of_the_batch_that_they_make_up(network, norm, optimizer):
    # 23 examples: the last of the six batches of 4 has 3, so the two of the last step count by their sizes.
    entry = named("optimizer", optimizer, lr=0.01)
    small = images(network, norm=arm(norm), optimizer=entry, batch_size=4, accumulate=2)
    large = images(network, norm=arm(norm), optimizer=entry, batch_size=8)
    assert_same_networks(small, large)


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("network", ["cnn", "resnet"])
def test_batch_norm_of_small_batches_is_ghost_batch_norm_of_the_large_one(network, momentum):
    small = images(network, norm=arm("batch", momentum=momentum), batch_size=4, accumulate=2)
    large = images(network, norm=arm("ghost", size=4, momentum=momentum), batch_size=8)
    assert_same_networks(small, large)


def test_the_last_step_has_the_batches_that_are_left():
    # Batches of 8, 8 and 7: a step of two, and a step of one.
    assert_same_networks(images(norm=arm("none"), batch_size=8, accumulate=2), images(norm=arm("none"), batch_size=16))


def test_more_batches_than_an_epoch_has_make_one_step_of_all():
    # In the order of each epoch, which changes the sums in their last bits alone.
    assert_same_networks(
        images(norm=arm("none"), batch_size=8, accumulate=50), images(norm=arm("none"), batch_size="full")
    )


def test_the_gradient_is_clipped_once_it_is_whole():
    entry = named("optimizer", "sgd", lr=0.05, clip=0.5)
    small = images(norm=arm("none"), optimizer=entry, batch_size=4, accumulate=2)
    assert_same_networks(small, images(norm=arm("none"), optimizer=entry, batch_size=8))


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_searches_along_the_loss_of_all_examples_of_a_step(search):
    entry = named("optimizer", "lbfgs", lr=0.2, max_iter=3, line_search_fn=search)
    small = images(norm=arm("none"), optimizer=entry, batch_size=16, accumulate=2)
    assert_same_networks(small, images(norm=arm("none"), optimizer=entry, batch_size="full"))


def test_the_loss_of_an_epoch_counts_every_batch_alike():
    setting = images(norm=arm("none"), batch_size=8, accumulate=3, epochs=1)
    engine = engine_of(setting, [3])
    trainee = engine._trainees[0]
    trainee._module.train()
    with torch.no_grad():
        order = next(engine_of(setting, [3])._trainees[0]._orders)[0]
        losses = trainee.loss(trainee.output())[order]
        expected = torch.stack([part.mean() for part in losses.split(8)]).mean()
    torch.testing.assert_close(engine.train_epoch(0, 1.0)[0], expected, rtol=1e-12, atol=0)


def test_statistics_are_measured_anew_after_steps_and_not_after_batches(monkeypatch):
    setting = images(norm=arm("population", every=2), batch_size=4, accumulate=2, epochs=2, evaluate_every=2)
    engine = engine_of(setting, [3])
    trainee, measured = engine._trainees[0], []
    monkeypatch.setattr(trainee._norms, "measure", lambda blocks: measured.append(len(blocks)))
    for epoch in range(2):
        engine.train_epoch(epoch, 1.0)
    assert len(measured) == 3  # before steps 0, 2 and 4 of six
    engine.evaluate(2)
    assert len(measured) == 4 + 1  # before step 6, and for the precise statistics
