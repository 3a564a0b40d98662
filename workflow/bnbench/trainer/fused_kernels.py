"""Triton kernels that train stacked perceptrons in few passes over memory.

A program of a kernel handles all examples of a batch for some units of one network, so the sums that batch
normalization takes over a batch never leave it. What follows a layer's product (bias or batch normalization, then ReLU)
happens before the product is first written to memory, and the same in the backward pass. The gradient of a weight
matrix is never written: it updates the matrix at once. `network.Network` does the same by torch's own operations;
`fused.FusedEpoch` calls these kernels.

Arrays are those of `Network`: activations [seeds, batch, columns], whose `columns` are the layer's `width` padded to a
multiple of 16; weights [seeds, inputs, columns]; γ, β and running statistics [seeds, 1, width]. Padding is 0 and stays
so. Programs are counted network by network.

Products of activations and weights take 3 × TF32 on tensor cores: each factor is the sum of two numbers of TF32, and
the product of the two small ones is left out, which keeps the accuracy of float32 (Ootomo & Yokota 2022). Gradients
of weights are products in plain float32, since memory takes the time there.
"""

# Arguments come in groups: arrays, their strides and sizes, what the arm is, and how the work is cut into blocks.
# fmt: off

import triton
import triton.language as tl


@triton.jit
def _place(columns, BN: tl.constexpr):
    """Network and units of this program."""
    blocks = tl.cdiv(columns, BN)
    program = tl.program_id(0)
    seed = (program // blocks).to(tl.int64)
    return seed, (program % blocks) * BN + tl.arange(0, BN)


@triton.jit
def forward(
    x, w, bias, gamma, beta, mean, variance, standardized, scale, y,
    x_seed, x_row, x_column, batch, inputs, w_rows, width, columns,
    MOMENTUM: tl.constexpr, EPS: tl.constexpr,
    NORMED: tl.constexpr, AFFINE: tl.constexpr, RELU: tl.constexpr, ONE: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):
    """A hidden layer: y = ReLU(norm(x w)), or ReLU(x w + bias); the running statistics take a step.

    Keeps (x w − m)/√(v + eps) in `standardized` and 1/√(v + eps) in `scale`.
    """
    seed, cols = _place(columns, BN)
    rows = tl.arange(0, BM)
    in_rows, in_cols, in_width = rows < batch, cols < columns, cols < width
    x += seed * x_seed
    w += seed * w_rows * columns
    if ONE:
        a = tl.load(x + rows * x_row, mask=in_rows, other=0.0)
        z = a[:, None] * tl.load(w + cols, mask=in_cols, other=0.0)[None, :]
    else:
        z = tl.zeros((BM, BN), dtype=y.dtype.element_ty)
        for start in range(0, inputs, BK):
            ks = start + tl.arange(0, BK)
            a = tl.load(
                x + rows[:, None] * x_row + ks[None, :] * x_column,
                mask=in_rows[:, None] & (ks < inputs)[None, :], other=0.0,
            )
            b = tl.load(
                w + ks[:, None] * columns + cols[None, :], mask=(ks < w_rows)[:, None] & in_cols[None, :], other=0.0
            )
            z = tl.dot(a, b, z, input_precision="tf32x3", out_dtype=y.dtype.element_ty)
    here = (seed * batch + rows)[:, None] * columns + cols[None, :]
    inside = in_rows[:, None] & in_cols[None, :]
    if NORMED:
        own, size = seed * width + cols, batch.to(y.dtype.element_ty)
        average = tl.sum(z, 0) / size
        centred = tl.where(in_rows[:, None], z - average[None, :], 0.0)
        squares = tl.sum(centred * centred, 0)
        inverse = tl.where(in_width, 1.0 / tl.sqrt(squares / size + EPS), 0.0)  # padding has no variance
        z = centred * inverse[None, :]
        tl.store(standardized + here, z, mask=inside)
        tl.store(scale + seed * columns + cols, inverse, mask=in_cols)
        old = tl.load(mean + own, mask=in_width, other=0.0)
        tl.store(mean + own, old + MOMENTUM * (average - old), mask=in_width)
        old = tl.load(variance + own, mask=in_width, other=0.0)
        tl.store(variance + own, old + MOMENTUM * (squares / (size - 1.0) - old), mask=in_width)
        if AFFINE:
            g = tl.load(gamma + own, mask=in_width, other=0.0)
            z = z * g[None, :] + tl.load(beta + own, mask=in_width, other=0.0)[None, :]
    else:
        z += tl.load(bias + seed * columns + cols, mask=in_cols, other=0.0)[None, :]
    if RELU:
        z = tl.where(z <= 0.0, 0.0, z)  # NaN stays
    tl.store(y + here, z, mask=inside)


@triton.jit
def output(
    x, w, bias, target, dw, dbias, gradient, loss,
    target_seed, target_row, batch, inputs,
    BATCHES: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr,
):
    """The last layer, of one output, and its squared error: their gradients, and the mean loss of each network.

    `gradient` becomes that of the mean loss with respect to the output, [seeds, batch]. `loss`, [seeds], grows by the
    batch's part of an epoch of `BATCHES` batches.
    """
    seed, size = tl.program_id(0).to(tl.int64), batch.to(x.dtype.element_ty)
    rows = tl.arange(0, BM)
    in_rows = rows < batch
    x += seed * batch * inputs
    error = tl.load(target + seed * target_seed + rows * target_row, mask=in_rows, other=0.0)
    error = tl.load(bias + seed) - error
    for start in range(0, inputs, BK):
        ks = start + tl.arange(0, BK)
        in_ks = ks < inputs
        a = tl.load(x + rows[:, None] * inputs + ks[None, :], mask=in_rows[:, None] & in_ks[None, :], other=0.0)
        error += tl.sum(a * tl.load(w + seed * inputs + ks, mask=in_ks, other=0.0)[None, :], 1)
    error = tl.where(in_rows, error, 0.0)
    tl.store(loss + seed, tl.load(loss + seed) + tl.sum(error * error, 0) / size / BATCHES)
    error = error * (2.0 / size)
    tl.store(gradient + seed * batch + rows, error, mask=in_rows)
    tl.store(dbias + seed, tl.sum(error, 0))
    for start in range(0, inputs, BK):
        ks = start + tl.arange(0, BK)
        in_ks = ks < inputs
        a = tl.load(x + rows[:, None] * inputs + ks[None, :], mask=in_rows[:, None] & in_ks[None, :], other=0.0)
        tl.store(dw + seed * inputs + ks, tl.sum(a * error[:, None], 0), mask=in_ks)


@triton.jit
def _through(
    dy, kept, scale, gamma, beta, dgamma, dbeta, dbias, x, dw, dz,
    seed, cols, x_seed, x_row, batch, width, columns,
    EPS: tl.constexpr, NORMED: tl.constexpr, AFFINE: tl.constexpr, RELU: tl.constexpr, FIRST: tl.constexpr,
    BM: tl.constexpr,
):
    """Back through ReLU and the norm (Ioffe & Szegedy 2015, section 3) or the bias, to the layer's product: into `dz`.

    `kept` is what `forward` standardized; without a norm, what it gave. In a first layer of one input, the gradient of
    its weights is written instead, with a norm as `catalogue.norms.BatchNorm.of_linear_backward` has it.
    """
    rows = tl.arange(0, BM)
    in_rows, in_cols, in_width = rows < batch, cols < columns, cols < width
    here = (seed * batch + rows)[:, None] * columns + cols[None, :]
    inside = in_rows[:, None] & in_cols[None, :]
    own, size = seed * width + cols, batch.to(dy.dtype)
    z = tl.load(kept + here, mask=inside, other=0.0)
    activated = z
    if NORMED and AFFINE:
        g = tl.load(gamma + own, mask=in_width, other=0.0)
        activated = z * g[None, :] + tl.load(beta + own, mask=in_width, other=0.0)[None, :]
    if RELU:
        dy = tl.where(activated <= 0.0, 0.0, dy)
    dy = tl.where(in_rows[:, None], dy, 0.0)
    total = tl.sum(dy, 0)
    if NORMED:
        inverse = tl.load(scale + seed * columns + cols, mask=in_cols, other=0.0)
        slope = inverse
        along = tl.sum(dy * z, 0)
        if AFFINE:
            slope *= g
            tl.store(dgamma + own, along, mask=in_width)
            tl.store(dbeta + own, total, mask=in_width)
    else:
        tl.store(dbias + seed * columns + cols, total, mask=in_cols)
    if FIRST:
        a = tl.load(x + seed * x_seed + rows * x_row, mask=in_rows, other=0.0)
        if NORMED:
            a = tl.where(in_rows, a - tl.sum(a, 0) / size, 0.0)
        found = tl.sum(dy * a[:, None], 0)
        if NORMED:
            found *= inverse * inverse * slope * EPS
        tl.store(dw + seed * columns + cols, found, mask=in_cols)
    else:
        if NORMED:
            dy = slope[None, :] * (dy - (total / size)[None, :] - z * (along / size)[None, :])
        tl.store(dz + here, dy, mask=inside)


@triton.jit
def backward_last(
    gradient, w_above, kept, scale, gamma, beta, dgamma, dbeta, dbias, x, dw, dz,
    x_seed, x_row, batch, width, columns,
    EPS: tl.constexpr, NORMED: tl.constexpr, AFFINE: tl.constexpr, RELU: tl.constexpr, FIRST: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr,
):
    """Back through the last hidden layer, from the `gradient` of the one output, [seeds, batch]."""
    seed, cols = _place(columns, BN)
    rows = tl.arange(0, BM)
    in_rows, in_cols = rows < batch, cols < columns
    dy = tl.load(gradient + seed * batch + rows, mask=in_rows, other=0.0)[:, None]
    dy = dy * tl.load(w_above + seed * columns + cols, mask=in_cols, other=0.0)[None, :]
    _through(
        dy, kept, scale, gamma, beta, dgamma, dbeta, dbias, x, dw, dz,
        seed, cols, x_seed, x_row, batch, width, columns, EPS, NORMED, AFFINE, RELU, FIRST, BM,
    )


@triton.jit
def backward(
    dz_above, w_above, kept, scale, gamma, beta, dgamma, dbeta, dbias, x, dw, dz,
    x_seed, x_row, batch, width, columns, columns_above,
    EPS: tl.constexpr, NORMED: tl.constexpr, AFFINE: tl.constexpr, RELU: tl.constexpr, FIRST: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):
    """Back through another hidden layer: from what came back through the one above, times its weights."""
    seed, cols = _place(columns, BN)
    rows = tl.arange(0, BM)
    in_rows, in_cols = rows < batch, cols < columns
    dy = tl.zeros((BM, BN), dtype=kept.dtype.element_ty)
    w_above += seed * columns * columns_above
    dz_above += seed * batch * columns_above
    for start in range(0, columns_above, BK):
        ks = start + tl.arange(0, BK)
        in_ks = ks < columns_above
        a = tl.load(
            dz_above + rows[:, None] * columns_above + ks[None, :], mask=in_rows[:, None] & in_ks[None, :], other=0.0
        )
        b = tl.load(
            w_above + cols[:, None] * columns_above + ks[None, :], mask=in_cols[:, None] & in_ks[None, :], other=0.0
        )
        dy = tl.dot(a, tl.trans(b), dy, input_precision="tf32x3", out_dtype=kept.dtype.element_ty)
    _through(
        dy, kept, scale, gamma, beta, dgamma, dbeta, dbias, x, dw, dz,
        seed, cols, x_seed, x_row, batch, width, columns, EPS, NORMED, AFFINE, RELU, FIRST, BM,
    )


@triton.jit
def _updated(
    weight, slope, first, second, largest, rate, powers, here, inside,
    ADAM: tl.constexpr, BETA1: tl.constexpr, BETA2: tl.constexpr, EPS: tl.constexpr, DECAY: tl.constexpr,
    DECOUPLED: tl.constexpr, AMSGRAD: tl.constexpr, NESTEROV: tl.constexpr,
):
    """Weights after a step of the optimizer by their gradient `slope`; its averages, `here` in memory, take a step too.

    Adam (Kingma & Ba 2015, algorithm 1), AdamW (Loshchilov & Hutter 2019, algorithm 2), or SGD with a momentum of
    `BETA1` as `torch.optim.SGD` has it, without dampening. `rate` and `powers`, β₁ᵗ and β₂ᵗ, are float64: what follows
    from them is rounded once.
    """
    lr = tl.load(rate)
    if DECAY != 0.0:
        if DECOUPLED:
            weight *= (1.0 - lr * DECAY).to(weight.dtype)
        else:
            slope += weight * DECAY
    if not ADAM:
        if BETA1 != 0.0:
            moved = tl.load(first + here, mask=inside, other=0.0) * BETA1 + slope
            tl.store(first + here, moved, mask=inside)
            slope = slope + moved * BETA1 if NESTEROV else moved
        return weight - lr.to(weight.dtype) * slope
    mean = tl.load(first + here, mask=inside, other=0.0)
    mean += (slope - mean) * (1.0 - BETA1)
    square = tl.load(second + here, mask=inside, other=0.0)
    square = square * BETA2 + slope * slope * (1.0 - BETA2)
    tl.store(first + here, mean, mask=inside)
    tl.store(second + here, square, mask=inside)
    if AMSGRAD:
        largest_square = tl.load(largest + here, mask=inside, other=0.0)
        square = tl.maximum(square, largest_square, propagate_nan=tl.PropagateNan.ALL)
        tl.store(largest + here, square, mask=inside)
    step = (lr / (1.0 - tl.load(powers))).to(weight.dtype)
    root = tl.sqrt(1.0 - tl.load(powers + 1)).to(weight.dtype)
    return weight - step * mean / (tl.sqrt(square) / root + EPS)


@triton.jit
def update(
    weights, slopes, first, second, largest, rate, powers, starts, ends,
    ADAM: tl.constexpr, BETA1: tl.constexpr, BETA2: tl.constexpr, EPS: tl.constexpr, DECAY: tl.constexpr,
    DECOUPLED: tl.constexpr, AMSGRAD: tl.constexpr, NESTEROV: tl.constexpr, BLOCK: tl.constexpr,
):
    """A step of the optimizer for the weights between `starts` and `ends`, a program for each."""
    program = tl.program_id(0)
    here = tl.load(starts + program) + tl.arange(0, BLOCK)
    inside = here < tl.load(ends + program)
    weight = tl.load(weights + here, mask=inside, other=0.0)
    slope = tl.load(slopes + here, mask=inside, other=0.0)
    weight = _updated(
        weight, slope, first, second, largest, rate, powers, here, inside,
        ADAM, BETA1, BETA2, EPS, DECAY, DECOUPLED, AMSGRAD, NESTEROV,
    )
    tl.store(weights + here, weight, mask=inside)


@triton.jit
def train_weights(
    x, dz, w, first, second, largest, rate, powers,
    x_seed, x_row, x_column, batch, inputs, w_rows, columns,
    ADAM: tl.constexpr, BETA1: tl.constexpr, BETA2: tl.constexpr, EPS: tl.constexpr, DECAY: tl.constexpr,
    DECOUPLED: tl.constexpr, AMSGRAD: tl.constexpr, NESTEROV: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):
    """A step of the optimizer for a layer's weights by their gradient, xᵀ dz, which is never written."""
    column_blocks = tl.cdiv(columns, BN)
    program = tl.program_id(0)
    of_seed = column_blocks * tl.cdiv(w_rows, BM)
    seed = (program // of_seed).to(tl.int64)
    ins = program % of_seed // column_blocks * BM + tl.arange(0, BM)
    cols = program % column_blocks * BN + tl.arange(0, BN)
    in_cols = cols < columns
    x += seed * x_seed
    dz += seed * batch * columns
    slope = tl.zeros((BM, BN), dtype=dz.dtype.element_ty)
    for start in range(0, batch, BK):
        rows = start + tl.arange(0, BK)
        in_rows = rows < batch
        a = tl.load(
            x + rows[:, None] * x_row + ins[None, :] * x_column,
            mask=in_rows[:, None] & (ins < inputs)[None, :], other=0.0,
        )
        b = tl.load(dz + rows[:, None] * columns + cols[None, :], mask=in_rows[:, None] & in_cols[None, :], other=0.0)
        slope = tl.dot(tl.trans(a), b, slope, input_precision="ieee", out_dtype=dz.dtype.element_ty)
    here = seed * w_rows * columns + ins[:, None] * columns + cols[None, :]
    inside = (ins < w_rows)[:, None] & in_cols[None, :]
    weight = _updated(
        tl.load(w + here, mask=inside, other=0.0), slope, first, second, largest, rate, powers, here, inside,
        ADAM, BETA1, BETA2, EPS, DECAY, DECOUPLED, AMSGRAD, NESTEROV,
    )
    tl.store(w + here, weight, mask=inside)
