"""Nested state of modules and optimizers as bytes, and back, bit by bit and without pickle.

The bytes are the length of a text, the text, which is JSON and holds the structure, and the numbers one after the
other. What networks keep may differ in size from seed to seed, as the history of L-BFGS does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnbench.errors import UserError

Bytes = NDArray[np.uint8]

_KEPT = "the network and the optimizer keep"

_LENGTH = 8  # bytes of the text's own length


def packed(tree: Any) -> Bytes:
    """The bytes of nested mappings, lists, tuples, tensors, numbers and texts.

    Raises:
        UserError: it holds something else.
    """
    numbers = bytearray()
    structure = json.dumps(_packed(tree, numbers)).encode()
    return np.frombuffer(len(structure).to_bytes(_LENGTH, "little") + structure + numbers, np.uint8)


def unpacked(content: Bytes, device: torch.device) -> Any:
    """What `packed` was given; tensors that lay on a GPU come to `device`, others to the CPU."""
    start = _LENGTH + int.from_bytes(content[:_LENGTH].tobytes(), "little")
    return _unpacked(json.loads(content[_LENGTH:start].tobytes()), content[start:].tobytes(), device)


def stacked(rows: Sequence[Bytes]) -> Bytes:
    """[seeds, bytes], the shorter ones filled up with zeros, which `unpacked` does not read."""
    found = np.zeros((len(rows), max(map(len, rows))), np.uint8)
    for place, row in enumerate(rows):
        found[place, : len(row)] = row
    return found


def _packed(tree: Any, numbers: bytearray) -> Any:
    if isinstance(tree, Tensor):
        if tree.layout != torch.strided:
            raise UserError(f"found a tensor in the layout {tree.layout} in what {_KEPT}; allowed: dense tensors")
        values = tree.detach().cpu().resolve_conj().resolve_neg()
        kept = values.view(torch.int16) if values.dtype == torch.bfloat16 else values
        return ["tensor", _add(kept.numpy(), numbers), str(tree.dtype).removeprefix("torch."), tree.is_cuda]
    if isinstance(tree, Mapping) and all(isinstance(key, int | str) for key in tree):
        return ["dict", [[key, _packed(value, numbers)] for key, value in tree.items()]]
    if isinstance(tree, list | tuple):
        return ["list" if isinstance(tree, list) else "tuple", [_packed(item, numbers) for item in tree]]
    if isinstance(tree, bool | str) or tree is None:
        return ["value", tree]
    if isinstance(tree, int | float):
        return ["number", _add(np.array(tree), numbers)]
    raise UserError(
        f"found a {type(tree).__name__} in what {_KEPT}; allowed, so that a checkpoint can "
        "hold it: tensors, numbers and texts, in lists and in mappings by numbers or texts"
    )


def _add(values: NDArray[Any], numbers: bytearray) -> list[Any]:
    """Put numbers to the others; their type, shape and place."""
    place = len(numbers)
    numbers += values.tobytes()
    return [values.dtype.str, values.shape, place]


def _unpacked(node: Any, numbers: bytes, device: torch.device) -> Any:
    kind, content, *rest = node
    if kind == "tensor":
        dtype, on_device = rest
        values = torch.from_numpy(_taken(content, numbers))
        values = values.view(torch.bfloat16) if dtype == "bfloat16" else values
        return values.to(device) if on_device else values
    if kind == "dict":
        return {key: _unpacked(item, numbers, device) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_unpacked(item, numbers, device) for item in content]
        return items if kind == "list" else tuple(items)
    return _taken(content, numbers).item() if kind == "number" else content


def _taken(kept: list[Any], numbers: bytes) -> NDArray[Any]:
    """The numbers of this type and shape at this place."""
    dtype, shape, place = kept
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(numbers, dtype, count, place).reshape(shape).copy() if count else np.empty(shape, dtype)
