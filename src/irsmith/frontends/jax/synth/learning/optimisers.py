"""Steps of optimisers."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.jax.synth.author import number
from irsmith.frontends.jax.synth.draft import Scope, require
from irsmith.frontends.jax.synth.expr import Expr, Shape, add, called, mul, squared, sub
from irsmith.frontends.jax.synth.learning.common import WIDTH, ended, matrix_shape
from irsmith.frontends.jax.synth.moves import LAYER, grown


def optimiser(scope: Scope) -> None:
    """A step of an optimiser."""
    rng = scope.rng
    shape: Shape = rng.pick(((rng.pick(WIDTH),), matrix_shape(scope)))
    w = scope.argument(shape, ("params", "w", "theta", "weights"), bounds=(-1, 1))
    grad = scope.argument(shape, ("grads", "g", "grad"), bounds=(-1, 1))
    lr = scope.argument((), ("lr", "learning_rate", "step_size"), bounds=(0.01, 0.2))
    kind = rng.pick(("sgd", "momentum", "nesterov", "adam", "rmsprop", "adagrad", "adamw", "lion", "clipped"))
    if rng.chance(0.3):
        grad = scope.assign(grown(scope, grad, LAYER, 1), keep=True)
        require(grad.reach <= 4)
    if kind in ("adamw", "sgd") or rng.chance(0.2):
        decay = number(rng, 0.01, 0.1)
        if kind != "adamw":
            grad = scope.assign(add(grad, mul(scope.number(decay), w)))
    beta = rng.pick((0.9, 0.8, 0.95))
    if kind in ("sgd", "clipped"):
        if kind == "clipped":
            limit = number(rng, 0.3, 1.5)
            grad = scope.assign(
                called(f"jnp.clip({grad.text}, -{limit!r}, {limit!r})", grad, shape=shape, low=-limit, high=limit)
            )
        _stepped(scope, w, lr, grad)
    elif kind in ("momentum", "nesterov"):
        m = scope.argument(shape, ("velocity", "momentum", "m"), bounds=(-1, 1))
        new = scope.assign(add(mul(scope.number(beta), m), grad), rng.pick(("new_velocity", "v", "buf")))
        way = add(grad, mul(scope.number(beta), new)) if kind == "nesterov" else new
        _stepped(scope, w, lr, way)
    elif kind == "lion":
        m = scope.argument(shape, ("m", "momentum"), bounds=(-1, 1))
        blend = add(mul(scope.number(beta), m), mul(scope.number(round(1 - beta, 2)), grad))
        way = scope.assign(called(f"jnp.tanh({blend.text})", blend, shape=shape, low=-1, high=1), "update")
        _stepped(scope, w, lr, way)
        scope.assign(add(mul(scope.number(0.99), m), mul(scope.number(0.01), grad)), "new_m")
    else:
        v = scope.argument(shape, ("v", "second", "nu", "sq_avg"), bounds=(0.05, 1))
        beta2 = rng.pick((0.999, 0.99, 0.95))
        square = squared(grad)
        rest = scope.number(round(1 - beta2, 4))
        new_v = add(v, square) if kind == "adagrad" else add(mul(scope.number(beta2), v), mul(rest, square))
        new_v = scope.assign(new_v, rng.pick(("new_v", "v_new", "nu_new")))
        top: Expr = grad
        below = new_v
        if kind in ("adam", "adamw"):
            m = scope.argument(shape, ("m", "first", "mu"), bounds=(-1, 1))
            top = scope.assign(
                add(mul(scope.number(beta), m), mul(scope.number(round(1 - beta, 2)), grad)),
                rng.pick(("new_m", "m_new")),
            )
            if rng.chance(0.6):
                t = scope.argument((), ("t", "step", "count"), bounds=(1, 20), dtype="int32")
                top = scope.assign(_over_power(scope, top, beta, t), "m_hat")
                below = scope.assign(_over_power(scope, new_v, beta2, t), "v_hat")
        eps = 1e-8 if scope.draft.real in ("float32", "float64") else 0.01
        text = f"{top.at(4)} / (jnp.sqrt({below.text}) + {eps!r})"
        way = replace(called(text, top, below, shape=shape, low=-60, high=60), binding=4)
        if kind == "adamw":
            way = add(scope.assign(way, "update"), mul(scope.number(0.01), w))
        _stepped(scope, w, lr, way)
    ended(scope)


def _over_power(scope: Scope, x: Expr, beta: float, t: Expr) -> Expr:
    text = f"{x.text} / (1.0 - {beta!r} ** {t.text})"
    least = 1 - beta
    made = replace(called(text, x, t, shape=x.shape, low=x.low / least, high=x.high / least), binding=4)
    require(scope.draft.real in ("float32", "float64"), "a power of a whole number")
    return made


def _stepped(scope: Scope, w: Expr, lr: Expr, way: Expr) -> None:
    move = mul(lr, way)
    scope.assign(sub(w, move), scope.rng.pick(("new_params", "new_w", "updated", "theta_new")), keep=True)
