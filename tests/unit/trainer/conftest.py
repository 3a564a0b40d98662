"""What several tests of the trainer need at hand."""

import pytest
from tiny import added


@pytest.fixture
def tiny_images():
    """The task `images` is in the registry."""
    with added:
        yield
