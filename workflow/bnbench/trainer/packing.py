"""Nested state of modules and optimizers as arrays, and back, bit by bit and without pickle.

One array holds the structure as JSON, the others hold the tensors and the numbers. States of the same structure have
arrays of the same names and shapes, so those of several networks can be stacked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnbench.errors import UserError
from bnbench.trainer.snapshot import Arrays

_STRUCTURE = "structure"


def packed(tree: Any) -> Arrays:
    """The arrays of nested mappings, lists, tuples, tensors, numbers and texts.

    Raises:
        UserError: it holds something else.
    """
    arrays: Arrays = {}
    structure = _packed(tree, arrays)
    arrays[_STRUCTURE] = np.frombuffer(json.dumps(structure).encode(), np.uint8)
    return arrays


def unpacked(arrays: Mapping[str, Any], device: torch.device) -> Any:
    """What `packed` was given; tensors that lay on a GPU come to `device`, others to the CPU."""
    return _unpacked(json.loads(arrays[_STRUCTURE].tobytes()), arrays, device)


def _packed(tree: Any, arrays: Arrays) -> Any:
    if isinstance(tree, Tensor):
        values = tree.detach().cpu()
        kept = values.view(torch.int16) if values.dtype == torch.bfloat16 else values
        return ["tensor", _add(kept.numpy().copy(), arrays), str(tree.dtype).removeprefix("torch."), tree.is_cuda]
    if isinstance(tree, Mapping):
        return ["dict", [[key, _packed(value, arrays)] for key, value in tree.items()]]
    if isinstance(tree, list | tuple):
        return ["list" if isinstance(tree, list) else "tuple", [_packed(item, arrays) for item in tree]]
    if isinstance(tree, bool | str) or tree is None:
        return ["value", tree]
    if isinstance(tree, int | float):
        return ["number", _add(np.array(tree), arrays)]
    raise UserError(
        f"the optimizer keeps a {type(tree).__name__}, which no checkpoint can hold; allowed: tensors, "
        "numbers and texts, in lists and mappings"
    )


def _add(values: Any, arrays: Arrays) -> str:
    name = str(len(arrays))
    arrays[name] = values
    return name


def _unpacked(node: Any, arrays: Mapping[str, Any], device: torch.device) -> Any:
    kind, content, *rest = node
    if kind == "tensor":
        dtype, on_device = rest
        values = torch.from_numpy(np.array(arrays[content]))
        values = values.view(torch.bfloat16) if dtype == "bfloat16" else values
        return values.to(device) if on_device else values
    if kind == "dict":
        return {key: _unpacked(item, arrays, device) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_unpacked(item, arrays, device) for item in content]
        return items if kind == "list" else tuple(items)
    return arrays[content].item() if kind == "number" else content
