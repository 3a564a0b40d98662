"""Plugin of pytest: it selects the tests that need a GPU. Where several processes run tests, each loads it."""

import re

import pytest
import torch

_ABOUT = re.compile(r"\b(GPU|CUDA)\b", re.IGNORECASE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep only those."""
    items[:] = [item for item in items if needs_gpu(item)]


def needs_gpu(item: pytest.Item) -> bool:
    """Whether a test is skipped if there is no GPU, and only then."""
    marks = [mark for mark in item.iter_markers("skipif") if _ABOUT.search(str(mark.kwargs.get("reason", "")))]
    # Of two marks that contradict each other, on a machine with a GPU and on one without, one holds.
    return any(bool(mark.args and mark.args[0]) == (not torch.cuda.is_available()) for mark in marks)
