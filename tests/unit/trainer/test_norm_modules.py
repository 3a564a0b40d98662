"""The arms as modules: against PyTorch's own, and against the stacked classes of the catalogue."""

import copy

import pytest
import torch
from configs import refusal
from norm_passes import SHAPES, affinities, assert_passes_like, assert_same, module, normal, passed, ranks, spread
from torch import nn

from bnbench.catalogue import own
from bnbench.catalogue.norms import NORMS
from bnbench.trainer.norm_layers import make

BUILT_IN = [name for name, norm in NORMS.items() if not norm.measures and name != own.NAME]


@ranks
@affinities
def test_group_norm_is_torchs(rank, affine):
    reference = nn.GroupNorm(3, 6, eps=1e-3, affine=affine, dtype=torch.float64)
    spread(reference)
    assert_passes_like(module("group", groups=3, eps=1e-3, affine=affine), reference, rank)


@affinities
def test_layer_norm_of_units_is_torchs(affine):
    reference = nn.LayerNorm(6, elementwise_affine=affine, dtype=torch.float64)
    spread(reference)
    assert_passes_like(module("layer", affine=affine), reference, 2)


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_layer_norm_takes_all_positions_together_and_scales_each_channel(rank):
    reference = nn.LayerNorm(SHAPES[rank][1:], elementwise_affine=False, dtype=torch.float64)
    made = module("layer")
    x = normal(*SHAPES[rank])
    along = (-1, *[1] * (rank - 2))
    expected = reference(x) * made.weight.view(along) + made.bias.view(along)
    assert_same({"y": made(x)}, {"y": expected})


@pytest.mark.parametrize("rank", [3, 4, 5])
@affinities
def test_instance_norm_is_torchs(rank, affine):
    torch_class = {3: nn.InstanceNorm1d, 4: nn.InstanceNorm2d, 5: nn.InstanceNorm3d}[rank]
    reference = torch_class(6, affine=affine, dtype=torch.float64)
    spread(reference)
    assert_passes_like(module("instance", affine=affine), reference, rank)


@affinities
def test_rms_norm_of_units_is_torchs(affine):
    reference = nn.RMSNorm(6, eps=1e-3, elementwise_affine=affine, dtype=torch.float64)
    spread(reference)
    assert_passes_like(module("rms", eps=1e-3, affine=affine), reference, 2)


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_rms_norm_takes_all_positions_together_and_scales_each_channel(rank):
    made, x = module("rms", eps=1e-3), normal(*SHAPES[rank])
    size = (x.square().flatten(1).mean(1) + 1e-3).sqrt().view(-1, *[1] * (rank - 1))
    assert_same({"y": made(x)}, {"y": x / size * made.weight.view(-1, *[1] * (rank - 2))})


@ranks
def test_without_a_norm_nothing_happens(rank):
    assert isinstance(module("none"), nn.Identity)
    x = normal(*SHAPES[rank])
    assert module("none")(x) is x


STACKED = [
    ("batch", {}),
    ("batch", {"momentum": 0.3, "affine": False}),
    ("batch", {"momentum": None, "eps": 1e-3}),
    ("batch", {"statistics": "batch"}),
    ("ghost", {"size": 4}),
    ("ghost", {"size": 8, "momentum": None}),
    ("frozen", {}),
    ("population", {}),
    ("population", {"affine": False}),
    ("layer", {}),
    ("layer", {"affine": False}),
    ("group", {"groups": 3}),
    ("group", {"affine": False}),
    ("rms", {}),
    ("rms", {"affine": False}),
]


def test_every_arm_of_perceptrons_is_compared_with_its_stacked_class():
    there = {name for name in BUILT_IN if not NORMS[name].needs_positions}
    assert {name for name, _ in STACKED} == there - {"none"}


@pytest.mark.parametrize(("name", "options"), STACKED)
@pytest.mark.parametrize("progress", [0.0, 0.9])
def test_a_module_does_with_units_what_the_stacked_class_does(name, options, progress):
    norm, made = NORMS[name](**options), module(name, **options)
    parameters = {
        key: getattr(made, torchs).detach().view(1, 1, -1)
        for key, torchs in PARAMETERS.items()
        if key in norm.parameters()
    }
    buffers = {key: torch.full((1, 1, 6), value, dtype=torch.float64) for key, value in norm.buffers().items()}
    for step in range(3):
        if step == 1:
            made.begin(progress)
            norm = norm.at(progress)
        x, dy = normal(9, 6, seed=step), normal(9, 6, seed=step + 10)
        if made.every:
            buffers |= norm.population([x[None]])
            made.take(x.mean(0), x.var(0, unbiased=False))
        y, saved = norm.forward(x[None].clone(), parameters, buffers)
        dx, gradients = norm.backward(dy[None].clone(), saved, parameters)
        expected = {"y": y[0], "x": dx[0], **{PARAMETERS[key]: each.flatten() for key, each in gradients.items()}}
        assert_same(passed(made, x, dy), expected)
    assert_same({"y": made.eval()(x).detach()}, {"y": norm.evaluate(x[None], parameters, buffers)[0]})
    for key in buffers.keys() & {"mean", "variance"}:
        assert_same({key: made.get_buffer(BUFFERS[key])}, {key: buffers[key].flatten()})


PARAMETERS = {"gamma": "weight", "beta": "bias"}
BUFFERS = {"mean": "running_mean", "variance": "running_var"}


def test_groups_that_do_not_divide_the_channels_are_refused_when_the_module_is_made():
    said = "found 6 channels, allowed with norm 'group' groups=4: a multiple of 4"
    assert refusal(make, NORMS["group"](groups=4), 6) == said


@pytest.mark.parametrize(
    ("name", "options", "shape", "said"),
    [
        ("group", {"groups": 6}, (9, 6), "found one value in a group"),
        ("instance", {}, (9, 6), "found one position, allowed with norm 'instance'"),
        ("instance", {}, (9, 6, 1, 1), "found one position, allowed with norm 'instance'"),
    ],
)
def test_a_group_of_one_value_is_refused(name, options, shape, said):
    assert said in refusal(module(name, **options), normal(*shape))


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_module_has_the_type_that_is_asked_for_and_can_be_copied(name, dtype):
    made = make(NORMS[name](), 6, dtype)
    assert all(values.dtype == dtype for values in made.state_dict().values() if values.is_floating_point())
    x = normal(*SHAPES[4]).to(dtype)
    assert torch.equal(copy.deepcopy(made)(x), made(x))
    assert made(x).dtype == dtype


@pytest.mark.parametrize("name", BUILT_IN)
def test_no_module_reads_a_value_back_from_its_device_so_that_a_step_can_be_captured(name):
    # A tensor of this device has a shape and no values: whoever asks for one is refused.
    meta = torch.device("meta")
    options = {"momentum": None} if NORMS[name].batch_statistics else {}
    made = make(NORMS[name](**options), 6, torch.float32, meta)
    x = torch.empty(SHAPES[4], device=meta, requires_grad=True)
    made(x).sum().backward()
    assert made.eval()(x).shape == x.grad.shape == x.shape
    with pytest.raises(RuntimeError, match="meta"):
        x.sum().item()
