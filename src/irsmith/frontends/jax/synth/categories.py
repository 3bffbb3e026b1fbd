"""The table of categories: what each is called, which function makes it, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from irsmith.frontends.jax.synth import bits, primitives, science, shared, special
from irsmith.frontends.jax.synth.draft import Scope
from irsmith.frontends.jax.synth.learning import (
    attention,
    images,
    layers,
    norms,
    optimisers,
    probabilities,
    products,
    recurrent,
)


@dataclass(frozen=True, slots=True)
class Category:
    """One shape of program.

    Attributes:
        make: Fills a scope and returns from it.
        weight: How often it is drawn by default, relative to the others.
        scale: How long its functions are, relative to the others.
        precisions: The dtypes of floats that it may be in; all of them where it is empty.
    """

    make: Callable[[Scope], None]
    weight: float = 1.0
    scale: float = 1.0
    precisions: tuple[str, ...] = ()


WIDE = ("float32", "float32", "float32", "float64")

CATEGORIES: dict[str, Category] = {
    "arithmetic": Category(shared.arithmetic, 1.0, 0.6),
    "scalar_param": Category(shared.scalar_param, 1.0, 0.6),
    "math": Category(shared.math, 1.0, 0.6),
    "vector": Category(shared.vector, 1.0, 0.7),
    "matrix": Category(shared.matrix, 1.0, 0.7),
    "control_flow": Category(shared.control_flow, 1.0, 0.8),
    "nested_branch": Category(shared.nested_branch, 1.0, 0.8),
    "multi_conditional": Category(shared.multi_conditional, 1.0, 0.9),
    "loop": Category(shared.loop, 1.0, 0.9),
    "nested_loop": Category(shared.nested_loop, 1.0, 1.0),
    "reduction": Category(shared.reduction, 1.0, 0.7),
    "multi_statement": Category(shared.multi_statement, 1.0, 0.9),
    "combined": Category(shared.combined, 1.5, 1.2),
    "helper_function": Category(shared.helper, 1.0, 0.8),
    "vmap": Category(shared.vectorised, 1.0, 0.8),
    "indexed_update": Category(shared.update, 1.0, 0.7),
    "bitwise": Category(bits.bitwise, 0.5, 0.6, precisions=("float32",)),
    "primitive": Category(primitives.primitive, 0.8, 0.8, precisions=WIDE),
    "special_function": Category(special.special_function, 0.4, 0.4, precisions=WIDE),
    "matmul": Category(products.matmul, 0.5, 0.7),
    "batched_matmul": Category(products.batched_matmul, 0.4, 0.7),
    "einsum": Category(products.einsum, 0.5, 0.7),
    "softmax": Category(probabilities.softmax, 0.5, 0.7),
    "log_softmax": Category(probabilities.log_softmax, 0.4, 0.7),
    "cross_entropy": Category(probabilities.cross_entropy, 0.5, 0.7),
    "layernorm": Category(norms.layernorm, 0.5, 0.7),
    "rmsnorm": Category(norms.rmsnorm, 0.5, 0.7),
    "batchnorm": Category(norms.batchnorm, 0.4, 0.7),
    "attention": Category(attention.attention, 0.5, 0.8),
    "causal_attention": Category(attention.causal_attention, 0.5, 0.8),
    "multi_head_attention": Category(attention.multi_head_attention, 0.5, 0.9),
    "grouped_query_attention": Category(attention.grouped_attention, 0.4, 0.9),
    "rotary": Category(attention.rotary, 0.4, 0.8),
    "experts": Category(products.experts, 0.3, 0.7),
    "mlp": Category(layers.mlp, 0.6, 0.8),
    "gelu": Category(layers.gelu, 0.3, 0.6),
    "silu": Category(layers.silu, 0.3, 0.6),
    "activation": Category(layers.activations, 0.3, 0.6),
    "dropout": Category(layers.dropout, 0.3, 0.6, precisions=("float32",)),
    "embedding": Category(layers.embedding, 0.4, 0.7),
    "convolution": Category(images.convolution, 0.5, 0.8),
    "transposed_convolution": Category(images.transposed, 0.3, 0.7),
    "patches": Category(images.patches, 0.3, 0.7),
    "pooling": Category(images.pooling, 0.3, 0.6),
    "rnn": Category(recurrent.rnn, 0.4, 0.8),
    "gru": Category(recurrent.gru, 0.4, 0.8),
    "lstm": Category(recurrent.lstm, 0.4, 0.9),
    "optimiser": Category(optimisers.optimiser, 0.5, 0.7),
    "reshape": Category(products.shaped, 0.4, 0.6),
    "fft": Category(science.fourier, 0.4, 0.7, precisions=WIDE),
    "sorting": Category(science.sorting, 0.4, 0.7),
    "cumulative": Category(science.cumulative, 0.4, 0.7),
    "linear_algebra": Category(science.linear_algebra, 0.4, 0.7, precisions=WIDE),
    "root_finding": Category(science.roots, 0.3, 0.7, precisions=WIDE),
    "interpolation": Category(science.interpolation, 0.3, 0.7),
    "stencil": Category(science.stencil, 0.4, 0.7),
}
"""Every category, by name."""
