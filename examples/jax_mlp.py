"""Train a small network on noise around a curve: ``irsmith record --out mlp --inputs -- python jax_mlp.py``."""

import functools

import jax
import jax.numpy as jnp

WIDTHS = (4, 16, 16, 1)


def initial(key):
    """Weights and biases, layer by layer."""
    keys = jax.random.split(key, len(WIDTHS) - 1)
    return [
        {"w": jax.random.normal(k, (m, n)) / jnp.sqrt(m), "b": jnp.zeros(n)}
        for k, m, n in zip(keys, WIDTHS[:-1], WIDTHS[1:], strict=True)
    ]


@jax.jit
def predict(params, x):
    """The network's output for a batch."""
    for layer in params[:-1]:
        x = jax.nn.gelu(x @ layer["w"] + layer["b"])
    return x @ params[-1]["w"] + params[-1]["b"]


@jax.jit
def loss(params, x, y):
    """Mean squared error."""
    return jnp.mean((predict(params, x) - y) ** 2)


@functools.partial(jax.jit, static_argnames=("decay",))
def updated(params, velocity, grads, rate, decay=0.9):
    """A step of gradient descent with momentum."""
    velocity = jax.tree.map(lambda v, g: decay * v - rate * g, velocity, grads)
    return jax.tree.map(lambda p, v: p + v, params, velocity), velocity


@jax.jit
def step(params, velocity, x, y, rate):
    """The parameters after one batch, with the loss before it."""
    value, grads = jax.value_and_grad(loss)(params, x, y)
    params, velocity = updated(params, velocity, grads, rate)
    return params, velocity, value


def main():
    """Train, and say how the loss falls."""
    key, of_data = jax.random.split(jax.random.PRNGKey(0))
    params = initial(key)
    velocity = jax.tree.map(jnp.zeros_like, params)
    x = jax.random.normal(of_data, (32, WIDTHS[0]))
    y = jnp.sin(x.sum(axis=1, keepdims=True))
    for epoch in range(20):
        params, velocity, value = step(params, velocity, x, y, 0.05)
        if epoch % 5 == 0:
            print(f"epoch {epoch}: loss {value:.4f}")
    print(f"held out: {loss(params, x[::-1], y[::-1]):.4f}, mean output {predict(params, x).mean():.4f}")


if __name__ == "__main__":
    main()
