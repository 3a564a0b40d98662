"""How the fused kernels cut a layer into blocks, one for each program on the GPU."""

from __future__ import annotations

from typing import NamedTuple


class Tile(NamedTuple):
    """The part of a product that one program computes."""

    rows: int
    columns: int
    depth: int
    """How many terms of the sums are added at a time."""
    warps: int = 4
    stages: int = 3
    """How many such loads are under way at once."""

    def rows_of(self, length: int) -> int:
        """Rows of one program, of `length` in all."""
        return _block(self.rows, length)

    def columns_of(self, length: int) -> int:
        """Columns of one program, of `length` in all."""
        return _block(self.columns, length)

    def programs(self, rows: int, columns: int) -> int:
        """How many programs compute a product of this size."""
        return -(-rows // self.rows_of(rows)) * -(-columns // self.columns_of(columns))

    def products(self, columns: int, depth: int) -> dict[str, int]:
        """A kernel's constants for a product with that many columns, whose sums have `depth` terms."""
        blocks = {"BN": self.columns_of(columns), "BK": _block(self.depth, depth)}
        return {**blocks, "num_warps": self.warps, "num_stages": self.stages}


# The fastest of eleven each, on an H200: tests/benchmarks/results/fused-tiles.md.
ACTIVATIONS = Tile(128, 64, 32)
"""Of activations; its rows are those of a batch, all of them."""
WEIGHTS = Tile(32, 64, 32)
"""Of matrices of weights."""


def _block(most: int, length: int) -> int:
    """A power of 2, as Triton asks for, and 16 at least, as tensor cores do."""
    return min(most, max(16, 1 << (length - 1).bit_length()))
