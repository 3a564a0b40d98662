"""How a network lies in memory. Pure: the planner reckons with what the trainer lays out."""

_ALIGNED = 16


def aligned(width: int) -> int:
    """The width of a hidden layer in memory, see `networks._Linear`: the next multiple of 16."""
    return -(-width // _ALIGNED) * _ALIGNED
