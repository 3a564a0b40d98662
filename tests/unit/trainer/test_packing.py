"""Nested state goes through bytes without a bit of change."""

import collections

import numpy as np
import pytest
import torch
from configs import refusal

from bnbench.trainer import packing

CPU = torch.device("cpu")
TREE = {
    "network": collections.OrderedDict(weight=torch.randn(3, 2), steps=torch.tensor(7), none=None),
    "optimizers": [
        {
            "state": {0: {"step": torch.tensor(3.0), "history": [torch.zeros(0), torch.ones(2)]}, 12: {}},
            "groups": [{"lr": 0.1, "betas": (0.9, 0.999), "fused": True, "name": "one", "count": 2**40}],
        }
    ],
}


def there_and_back(tree):
    return packing.unpacked(packing.packed(tree), CPU)


def assert_same(found, expected):
    """The same kinds, values and types, all the way down."""
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert found.contiguous().view(-1).tolist() == expected.contiguous().view(-1).tolist()
    elif isinstance(expected, dict):
        assert [*found] == [*expected]
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert type(found) is type(expected)
        assert found == expected


def test_a_tree_comes_back_as_it_was():
    assert_same(there_and_back(TREE), TREE)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (5,), (2, 3, 4)])
def test_tensors_of_every_type_and_shape(dtype, shape):
    values = (torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 100).abs().to(dtype)
    assert_same(there_and_back(values), values)


def test_numbers_that_are_none_keep_their_bits():
    odd = torch.tensor([float("nan"), float("inf"), -0.0, 5e-324], dtype=torch.float64)
    found = there_and_back(odd)
    assert torch.equal(found.view(torch.int64), odd.view(torch.int64))
    assert np.isnan(there_and_back(float("nan")))
    assert there_and_back(0.1 + 0.2) == 0.1 + 0.2


def test_tensors_that_lie_in_another_order_keep_their_values():
    values = torch.arange(48.0).view(2, 3, 4, 2)
    for each in (values.to(memory_format=torch.channels_last), values.transpose(1, 2), values[:, ::2]):
        assert_same(there_and_back(each), each)


def test_what_comes_back_is_a_copy_that_can_be_written():
    values = torch.zeros(3)
    content = packing.packed(values)
    values += 1
    found = packing.unpacked(content, CPU)
    found += 2
    assert packing.unpacked(content, CPU).tolist() == [0, 0, 0]


def test_states_of_other_sizes_are_stacked_and_come_back():
    trees = [{"history": [torch.ones(size)] * size} for size in (3, 0, 5)]
    rows = packing.stacked([packing.packed(tree) for tree in trees])
    assert rows.shape[0] == 3
    for row, tree in zip(rows, trees, strict=True):
        assert_same(packing.unpacked(row, CPU), tree)


@pytest.mark.parametrize("tree", [{1, 2}, object(), {(1, 2): 3}, [lambda: 0]])
def test_what_no_file_can_hold_is_refused(tree):
    assert "allowed, so that a checkpoint can hold it: tensors, numbers and texts" in refusal(packing.packed, tree)
