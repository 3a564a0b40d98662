"""Triton kernels that draw the orders of many seeds on a GPU, bit for bit as numpy draws them.

A seed's draws are one long chain: numpy repeats a draw that is out of bounds, so nobody knows beforehand how many an
epoch takes. So `find_starts` first goes through the draws alone, a lane for each seed, and stores the generator's state
at the start of every epoch. Then `shuffle` draws once more and shuffles, a lane for each seed and epoch.

What numpy does (2.4; `Generator.permuted`, `random_interval`, `pcg64_next32`; all shuffles since 1.17 are alike):

- PCG64 (O'Neill 2014, XSL-RR): state ← state · M + increment modulo 2¹²⁸; the two halves of the state, combined by
  exclusive or, are rotated by its upper 6 bits. Of these 64 bits the lower 32 are a draw, the upper 32 the next one.
- For every place from the last to the second (Fisher and Yates): a draw is cut to as many bits as the place has, and
  repeated while it lies above the place. Then the numbers at the place and at the draw are swapped.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import triton
import triton.language as tl
from torch import Tensor

_HIGH = tl.constexpr(0x2360ED051FC65DA4)
_LOW = tl.constexpr(0x4385DF649FCCF645)
"""Both halves of M."""

_LANES = 32  # of a program: a warp, each thread one, which so sees what it has stored itself
_PAIRS = 8  # of draws between two looks whether all lanes are through
_HALF = 2**64 - 1


@triton.jit
def _larger(one, other):
    return tl.where(one > other, one, other)


@triton.jit
def _step(high, low, increment_high, increment_low):
    """The generator's next state and the 64 bits drawn from it."""
    by_high = tl.full(low.shape, _HIGH, tl.uint64)
    by_low = tl.full(low.shape, _LOW, tl.uint64)
    next_low = low * by_low + increment_low
    carry = (next_low < increment_low).to(tl.uint64)
    next_high = tl.umulhi(low, by_low) + low * by_high + high * by_low + increment_high + carry
    mixed = next_high ^ next_low
    turn = next_high >> 58
    return next_high, next_low, (mixed >> turn) | (mixed << ((64 - turn) & 63))


@triton.jit
def _load_state(states, increments, seed, inside, seeds):
    """A state's halves, whether the lower half of its next draw is used up, and the increment's halves."""
    high = tl.load(states + seed, mask=inside, other=0).to(tl.uint64, bitcast=True)
    low = tl.load(states + seeds + seed, mask=inside, other=0).to(tl.uint64, bitcast=True)
    used = tl.load(states + 2 * seeds + seed, mask=inside, other=0)
    increment_high = tl.load(increments + seed, mask=inside, other=0).to(tl.uint64, bitcast=True)
    increment_low = tl.load(increments + seeds + seed, mask=inside, other=0).to(tl.uint64, bitcast=True)
    return high, low, used, increment_high, increment_low


@triton.jit
def _lower_place(place, bits, taken):
    """The place before, from which a draw was used for this one, and the bits that a draw for it may have."""
    place -= taken.to(tl.int32)
    return place, tl.where(place <= (bits >> 1), bits >> 1, bits)


@triton.jit
def _count(states, high, low, used: tl.constexpr, taken, place, bits, left, seed, seeds, epochs, last, last_bits):
    """Take a draw, without a look at it; where it was its epoch's last, keep the state for the next one."""
    place, bits = _lower_place(place, bits, taken)
    done = taken & (place == 0)
    left -= done.to(tl.int32)
    kept = states + (epochs - left).to(tl.int64) * 3 * seeds + seed
    tl.store(kept, high.to(tl.int64, bitcast=True), mask=done)
    tl.store(kept + seeds, low.to(tl.int64, bitcast=True), mask=done)
    tl.store(kept + 2 * seeds, tl.full(place.shape, used, tl.int64), mask=done)
    return tl.where(done, last, place), tl.where(done, last_bits, bits), left


@triton.jit(do_not_specialize=["seeds", "epochs", "last", "last_bits"])
def find_starts(states, increments, seeds, epochs, last, last_bits, LANES: tl.constexpr, PAIRS: tl.constexpr):
    """Fill `states`, [epochs + 1, 3, seeds], from its first row on; `increments` are [2, seeds].

    Every row has the generator's state at the start of an epoch: the upper and the lower 64 bits, and 1 where the lower
    half of the next 64 bits drawn from it is used up. `last` is the last place of an order, `last_bits` as many ones as
    it has bits.
    """
    seed = tl.program_id(0) * LANES + tl.arange(0, LANES)
    inside = seed < seeds
    high, low, used, increment_high, increment_low = _load_state(states, increments, seed, inside, seeds)
    left = tl.where(inside, epochs, 0)
    place = tl.where(inside, last, 0)
    bits = tl.where(inside, last_bits, 0)
    while tl.reduce(left, 0, _larger) > 0:
        for _ in range(PAIRS):
            next_high, next_low, drawn = _step(high, low, increment_high, increment_low)
            taken = (left > 0) & (used == 0) & ((drawn.to(tl.int32) & bits) <= place)
            place, bits, left = _count(
                states, high, low, 1, taken, place, bits, left, seed, seeds, epochs, last, last_bits
            )
            used = used * 0
            high, low = next_high, next_low
            taken = (left > 0) & (((drawn >> 32).to(tl.int32) & bits) <= place)
            place, bits, left = _count(
                states, high, low, 0, taken, place, bits, left, seed, seeds, epochs, last, last_bits
            )


@triton.jit
def _swap(order, other, wanted, place, bits):
    """Swap what lies at a place with what lies at another one, where that is not above it."""
    taken = wanted & (place > 0) & (other <= place)
    here = tl.load(order + place, mask=taken, other=0)
    there = tl.load(order + other, mask=taken, other=0)
    tl.store(order + place, there, mask=taken)
    tl.store(order + other, here, mask=taken)
    return _lower_place(place, bits, taken)


@triton.jit(do_not_specialize=["seeds", "blocks", "last", "last_bits"])
def shuffle(orders, states, increments, seeds, blocks, last, last_bits, LANES: tl.constexpr, PAIRS: tl.constexpr):
    """Shuffle `orders`, [epochs, seeds, last + 1], in place; see `find_starts`. An epoch's seeds lie in `blocks`."""
    epoch = (tl.program_id(0) // blocks).to(tl.int64)
    seed = (tl.program_id(0) % blocks) * LANES + tl.arange(0, LANES)
    inside = seed < seeds
    states += epoch * 3 * seeds
    high, low, used, increment_high, increment_low = _load_state(states, increments, seed, inside, seeds)
    order = orders + (epoch * seeds + seed) * (last + 1)
    place = tl.where(inside, last, 0)
    bits = tl.where(inside, last_bits, 0)
    while tl.reduce(place, 0, _larger) > 0:
        for _ in range(PAIRS):
            high, low, drawn = _step(high, low, increment_high, increment_low)
            place, bits = _swap(order, drawn.to(tl.int32) & bits, used == 0, place, bits)
            used = used * 0
            place, bits = _swap(order, (drawn >> 32).to(tl.int32) & bits, used == 0, place, bits)


def draw(streams: Sequence[np.random.Generator], shape: tuple[int, int, int], device: torch.device) -> Iterator[Tensor]:
    """Orders on a device, [epochs, seeds, points], again and again: those that `streams` would draw next.

    The host only launches a few kernels a time, on the stream that is current then; never while a graph is captured.

    Args:
        streams: PCG64's, which have drawn nothing yet; they are left as they are.
        shape: with at least two points.
        device: a GPU.
    """
    epochs, seeds, count = shape
    last, blocks = count - 1, -(-seeds // _LANES)
    before = [stream.bit_generator.state["state"] for stream in streams]
    states = torch.zeros((epochs + 1, 3, seeds), dtype=torch.int64, device=device)
    states[0, :2] = _halves([state["state"] for state in before]).to(device)
    increments = _halves([state["inc"] for state in before]).to(device)
    bounds = (last, 2 ** last.bit_length() - 1)
    constants = {"LANES": _LANES, "PAIRS": _PAIRS, "num_warps": 1, "num_stages": 1}
    places = torch.arange(count, device=device)
    while True:
        orders = places.expand(shape).clone(memory_format=torch.contiguous_format)
        find_starts[(blocks,)](states, increments, seeds, epochs, *bounds, **constants)
        shuffle[(blocks * epochs,)](orders, states, increments, seeds, blocks, *bounds, **constants)
        states[0] = states[-1]
        yield orders


def _halves(numbers: Sequence[int]) -> Tensor:
    """Upper and lower 64 bits of numbers of 128, [2, numbers]."""
    halves = [[number >> 64 for number in numbers], [number & _HALF for number in numbers]]
    return torch.from_numpy(np.array(halves, np.uint64).view(np.int64))
