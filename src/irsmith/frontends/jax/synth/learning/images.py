"""Convolutions and pooling."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import PRODUCT, Expr, Shape, add, called
from irsmith.frontends.jax.synth.learning.common import BIAS, activated, before, ended, held, over, tamed


def convolution(scope: Scope) -> None:
    """Convolutions in one or two dimensions."""
    rng = scope.rng
    two = rng.chance(0.6)
    n, c, o, k = rng.pick((1, 2)), rng.pick((1, 2, 3)), rng.pick((2, 3, 4)), rng.pick((2, 3, 3))
    size = rng.pick((6, 7, 8))
    stride, padding = rng.pick((1, 1, 2)), rng.pick(("SAME", "VALID"))
    layout = rng.pick(("NHWC", "NCHW")) if two else rng.pick(("NWC", "NCW"))
    spatial: Shape = (size, rng.pick((5, 6, 8))) if two else (rng.pick((8, 10, 12, 16)),)
    window: Shape = (k, k) if two else (k,)
    groups = c if rng.chance(0.15) and c > 1 else 1
    out = o if groups == 1 else c * rng.pick((1, 2))
    last = layout.endswith("C")
    shape = (n, *spatial, c) if last else (n, c, *spatial)
    x = before(scope, scope.argument(shape, ("x", "image", "inputs", "signal"), bounds=(-1, 1)))
    w_shape = (*window, c // groups, out) if last else (out, c // groups, *window)
    w = scope.argument(w_shape, ("kernel", "w", "filters"), bounds=(-1, 1))
    letters = "HW" if two else "W"
    numbers = (
        (f"N{letters}C", f"{letters}IO", f"N{letters}C") if last else (f"NC{letters}", f"OI{letters}", f"NC{letters}")
    )
    after = [-(-s // stride) if padding == "SAME" else -(-(s - k + 1) // stride) for s in spatial]
    reach = x.reach * k ** len(window) * (c // groups)
    result = (n, *after, out) if last else (n, out, *after)
    strides = f"({', '.join([str(stride)] * len(window))}{',' if len(window) == 1 else ''})"
    lines = [f"{x.text}, {w.text}", f"window_strides={strides}", f'padding="{padding}"', f"dimension_numbers={numbers}"]
    if groups > 1:
        lines.append(f"feature_group_count={groups}")
    lines = [line.replace("'", '"') for line in lines]
    require(min(after) >= 1)
    scope.use(x, w)
    y = scope.names.claim(rng.pick(("y", "out", "conv", "feat")))
    scope.write(f"{y} = {scope.draft.lax}.conv_general_dilated(")
    for line in lines:
        scope.write(f"    {line},")
    scope.write(")")
    value = scope.rebind(y, Expr("", 7, result, scope.draft.real, -reach, reach))
    if rng.chance(0.6):
        bias = scope.argument((out,) if last else (out, *((1,) * len(window))), BIAS, bounds=(-0.5, 0.5))
        value = scope.assign(add(value, bias))
    if rng.chance(0.7):
        scope.assign(activated(scope, tamed(scope, value)))
    ended(scope)


def transposed(scope: Scope) -> None:
    """Convolutions that make an image larger, or that are written with little ceremony."""
    rng = scope.rng
    n, c, o, k = rng.pick((1, 2)), rng.pick((1, 2, 3)), rng.pick((2, 3, 4)), rng.pick((2, 3, 4))
    size, stride, lax = rng.pick((4, 5, 6)), rng.pick((1, 2, 2)), scope.draft.lax
    kind = rng.pick(("transpose", "transpose", "plain", "padded"))
    if kind == "transpose":
        two, padding = rng.chance(0.5), rng.pick(("SAME", "VALID"))
        spatial: Shape = (size, size) if two else (size,)
        x = before(scope, scope.argument((n, *spatial, c), ("x", "z", "latent", "codes"), bounds=(-1, 1)))
        w = scope.argument((k,) * len(spatial) + (c, o), ("kernel", "w", "filters"), bounds=(-1, 1))
        after = [s * stride if padding == "SAME" else (s - 1) * stride + max(k, stride) for s in spatial]
        strides = f"({', '.join([str(stride)] * len(spatial))}{',' * (len(spatial) == 1)})"
        text = f'{lax}.conv_transpose({x.text}, {w.text}, {strides}, "{padding}")'
        shape: Shape = (n, *after, o)
    else:
        k = min(k, 3)
        x = before(scope, scope.argument((n, c, size, size), ("x", "image", "board"), bounds=(-1, 1)))
        w = scope.argument((o, c, k, k), ("kernel", "w", "filters"), bounds=(-1, 1))
        padding = rng.pick(("SAME", "VALID"))
        side = -(-size // stride) if padding == "SAME" else -(-(size - k + 1) // stride)
        text = f'{lax}.conv({x.text}, {w.text}, ({stride}, {stride}), "{padding}")'
        if kind == "padded":
            low, high = rng.pick((0, 1)), rng.pick((1, 2))
            side = (size + low + high - k) // stride + 1
            pads = f"[({low}, {high}), ({low}, {high})]"
            call = f"{lax}.conv_with_general_padding"
            text = f"{call}({x.text}, {w.text}, ({stride}, {stride}), {pads}, None, None)"
        shape = (n, o, side, side)
    reach = x.reach * c * k ** (w.rank - 2)
    scope.assign(called(text, x, w, shape=shape, low=-reach, high=reach), rng.pick(("y", "out", "upsampled")))
    _biased(scope, shape[-1])
    ended(scope)


def _biased(scope: Scope, width: int) -> None:
    value = scope.unread()[-1]
    if scope.rng.chance(0.5):
        value = scope.assign(add(value, scope.argument((width,), BIAS, bounds=(-0.5, 0.5))))
    if scope.rng.chance(0.7):
        scope.assign(activated(scope, tamed(scope, value)))


def patches(scope: Scope) -> None:
    """What stands under a window, as features; or a convolution with weights of its own at each place."""
    rng, lax = scope.rng, scope.draft.lax
    n, c, size, k = rng.pick((1, 2)), rng.pick((1, 2)), rng.pick((4, 6)), rng.pick((2, 2, 3))
    stride, padding = rng.pick((1, k)), rng.pick(("VALID", "VALID", "SAME"))
    side = -(-size // stride) if padding == "SAME" else (size - k) // stride + 1
    x = before(scope, scope.argument((n, c, size, size), ("image", "x", "frames"), bounds=(-1, 1)))
    depth = c * k * k
    if rng.chance(0.5):
        o = rng.pick((1, 2, 3))
        w = scope.argument((o, depth, side, side), ("weights", "local_kernel", "w"), bounds=(-1, 1))
        text = (
            f"{lax}.conv_general_dilated_local({x.text}, {w.text}, ({stride}, {stride}), "
            f'"{padding}", filter_shape=({k}, {k}))'
        )
        made = called(text, x, w, shape=(n, o, side, side), low=-depth * x.reach, high=depth * x.reach)
        scope.assign(made, rng.pick(("y", "local", "out")))
    else:
        text = f'{lax}.conv_general_dilated_patches({x.text}, ({k}, {k}), ({stride}, {stride}), "{padding}")'
        low, high = min(x.low, 0.0), max(x.high, 0.0)
        found = scope.assign(called(text, x, shape=(n, depth, side, side), low=low, high=high), "patches")
        flat = f"{found.text}.reshape({n}, {depth}, {side * side}).swapaxes(1, 2)"
        rows = scope.assign(called(flat, found, shape=(n, side * side, depth), low=low, high=high), "tokens")
        w = scope.argument((depth, rng.pick((3, 4, 6))), ("embed", "proj", "w"), bounds=(-1, 1))
        reach = depth * x.reach
        made = called(f"{rows.text} @ {w.text}", rows, w, shape=(*rows.shape[:2], w.shape[1]), low=-reach, high=reach)
        scope.assign(replace(made, binding=PRODUCT), rng.pick(("tokens_out", "embedded", "y")))
    _biased(scope, scope.unread()[-1].shape[-1])
    ended(scope)


def pooling(scope: Scope) -> None:
    """Windows reduced to one value each."""
    rng = scope.rng
    n, size, c, k = rng.pick((1, 2)), rng.pick((4, 6, 8)), rng.pick((1, 2, 3)), 2
    x = before(scope, scope.argument((n, size, size, c), ("x", "image", "feat"), bounds=(-2, 2)))
    x = held(scope, x)
    kind = rng.pick(("max", "avg", "reshape_max", "reshape_mean", "global"))
    half = size // k
    shape: Shape = (n, half, half, c)
    lax = scope.draft.lax
    if kind == "global":
        text = f"jnp.{rng.pick(('mean', 'max'))}({x.text}, axis=(1, 2))"
        made = called(text, x, shape=(n, c), low=x.low, high=x.high)
    elif kind.startswith("reshape"):
        which = kind.removeprefix("reshape_")
        text = f"{x.text}.reshape({n}, {half}, {k}, {half}, {k}, {c}).{which}(axis=(2, 4))"
        made = called(text, x, shape=shape, low=x.low, high=x.high)
    else:
        op, start = ("max", "-jnp.inf") if kind == "max" else ("add", "0.0")
        zero = start if scope.draft.real in ("float32", "float64") else f"jnp.{scope.draft.real}({start})"
        pool = f"(1, {k}, {k}, 1)"
        text = f'{lax}.reduce_window({x.text}, {zero}, {lax}.{op}, {pool}, {pool}, "VALID")'
        factor = 1 if kind == "max" else k * k
        made = called(text, x, shape=shape, low=x.low * factor, high=x.high * factor)
        if kind == "avg":
            made = over(scope, made, float(factor))
    scope.assign(made, rng.pick(("pooled", "y", "down")))
    ended(scope)
