"""Steps of a small transformer: ``irsmith record --out transformer --inputs -- python jax_transformer.py``."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

HEADS, WIDTH, LENGTH, WORDS = 2, 16, 8, 32


class Block(NamedTuple):
    """The weights of a block."""

    queries: jax.Array
    keys: jax.Array
    values: jax.Array
    out: jax.Array
    up: jax.Array
    down: jax.Array
    scale: jax.Array


def normalised(x, scale):
    """Root-mean-square normalisation."""
    return x * scale / jnp.sqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6)


@jax.jit
def attention(block, x):
    """Causal attention of several heads over one sequence."""
    length, width = x.shape
    q, k, v = (
        (x @ w).reshape(length, HEADS, width // HEADS).transpose(1, 0, 2)
        for w in (block.queries, block.keys, block.values)
    )
    scores = q @ k.transpose(0, 2, 1) / jnp.sqrt(width // HEADS)
    mask = jnp.tril(jnp.ones((length, length), dtype=bool))
    weights = jax.nn.softmax(jnp.where(mask, scores, -1e9), axis=-1)
    return (weights @ v).transpose(1, 0, 2).reshape(length, width) @ block.out


@jax.jit
def transformed(block, x):
    """A block: attention, then two layers, each around a residual."""
    x = x + attention(block, normalised(x, block.scale))
    return x + jax.nn.silu(normalised(x, block.scale) @ block.up) @ block.down


@jax.jit
def logits(embedding, block, tokens):
    """What the model expects next at each place of a batch."""
    x = embedding[tokens]
    return jax.vmap(lambda sequence: transformed(block, sequence))(x) @ embedding.T


@jax.jit
def loss(embedding, block, tokens):
    """Cross-entropy of the next token."""
    expected = jax.nn.log_softmax(logits(embedding, block, tokens[:, :-1]), axis=-1)
    return -jnp.mean(jnp.take_along_axis(expected, tokens[:, 1:, None], axis=-1))


@jax.jit
def step(embedding, block, tokens, rate):
    """One step of gradient descent."""
    value, grads = jax.value_and_grad(loss, argnums=(0, 1))(embedding, block, tokens)
    move = jax.tree.map(lambda p, g: p - rate * g, (embedding, block), grads)
    return *move, value


def main():
    """Train for a few steps, and use each part on its own."""
    keys = jax.random.split(jax.random.PRNGKey(1), 8)
    shapes = [(WIDTH, WIDTH)] * 4 + [(WIDTH, 2 * WIDTH), (2 * WIDTH, WIDTH)]
    weights = [0.3 * jax.random.normal(key, shape) for key, shape in zip(keys, shapes, strict=False)]
    block = Block(*weights, jnp.ones(WIDTH))
    embedding = 0.5 * jax.random.normal(keys[6], (WORDS, WIDTH))
    tokens = jax.random.randint(keys[7], (2, LENGTH + 1), 0, WORDS)
    for number in range(5):
        embedding, block, value = step(embedding, block, tokens, 0.1)
        print(f"step {number}: loss {value:.4f}")
    x = embedding[tokens[0, :-1]]
    print(f"attention {attention(block, x).std():.4f}, block {transformed(block, x).std():.4f}")
    print(f"likeliest next: {logits(embedding, block, tokens[:, :-1]).argmax(axis=-1)[0]}")


if __name__ == "__main__":
    main()
