"""Two JAX functions, with examples that say their types.

irsmith lower examples/jax_layer.py --frontend jax
"""

import jax
import jax.numpy as jnp

EPS = 1e-5


def normalise(x: jax.Array):
    """Less the mean, over the standard deviation."""
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + EPS)


@jax.jit
def layer(x: jax.Array, w: jax.Array, b: jax.Array):
    """A dense layer with a residual, normalised."""
    return normalise(x + jax.nn.gelu(x @ w + b))


example_args = {
    "normalise": (jnp.zeros((4, 8)),),
    "layer": (jnp.zeros((4, 8)), jnp.zeros((8, 8)), jnp.zeros(8)),
}
