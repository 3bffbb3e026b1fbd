"""Which operations of `jax.lax` and of StableHLO programs use and which are proved, read from what JAX registers.

A program of JAX is written in `jax.numpy`, `jax.nn` and `jax.lax`; which operations it is made of shows in its texts.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from irsmith.coverage import Builtin, Coverage, reasons
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.lower import lower
from irsmith.frontends.jax.reference.modules import LAX
from irsmith.frontends.jax.stages import JAXPR, STABLEHLO
from irsmith.frontends.jax.synth import CATEGORIES, synthesise
from irsmith.outcome import Reject
from irsmith.synth import Settings
from irsmith.synth.errors import Discard

PROGRAMS = 16 * len(CATEGORIES)
"""How many programs are looked at: each is traced and lowered, which takes a tenth of a second."""

_LAX_COUNTS = (
    "they compute something on one CPU. The others describe shapes, pass tokens, or speak between devices; each says "
    "which."
)
_LAX_MEANING = (
    "*Emitted*: the jaxpr of a program, forward or backward, has the operation's primitive, however the source spells "
    "it; an operation that is composed of others, and so leaves no trace of its own, must be called by its name. "
    "*Forward*: the reference defines it, by this name or as that primitive in a program. *Backward*: gradients "
    "through it are compared with differences of the reference, row by row; `-` where JAX has none or it is zero."
)
_HLO_COUNTS = (
    "a program for one CPU with static shapes may hold them. The others are for several devices, streams, shapes "
    "that are known late or quantised numbers, or are what no lowering of JAX writes; each says which."
)
_HLO_MEANING = (
    "*Forward*: the text of a program holds the operation; that text is compiled, run and compared with the reference. "
    "*Backward*: the text of a vector-Jacobian product holds it; that text's results are compared with differences of "
    "the reference. Each row's StableHLO is checked to be the same module to XLA as its HLO, which is what runs."
)
_PRIMITIVES = {
    "betainc": "regularized_incomplete_beta",
    "bitwise_and": "and",
    "bitwise_not": "not",
    "bitwise_or": "or",
    "bitwise_xor": "xor",
    "approx_max_k": "approx_top_k",
    "approx_min_k": "approx_top_k",
    "custom_linear_solve": "custom_linear_solve",
    "ragged_dot_general": "ragged_dot_general",
    "while_loop": "while",
}
"""Primitives that `jax.lax` does not offer under the names of their operations."""

_WITHOUT_GRADIENT = frozenset({
    "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "broadcasted_iota", "empty", "full", "full_like",
    "shape_as_value", "stop_gradient", "while_loop",
})  # fmt: skip
"""Of the operations without a primitive of the same name: those that no gradient goes through."""

_NOT_COUNTED = reasons((
    (
        "says something of shapes or dtypes, and computes nothing",
        "broadcast_shapes conv_dimension_numbers conv_general_permutations conv_general_shape_tuple conv_shape_tuple "
        "conv_transpose_shape_tuple dtype padtype_to_pads reduce_window_shape_tuple shape_as_value",
    ),
    (
        "over a named axis of devices",
        "all_gather all_to_all axis_index axis_size pbroadcast pcast pmax pmean pmin ppermute precv psend pshuffle "
        "psum psum_scatter pswapaxes ragged_all_to_all with_sharding_constraint",
    ),
    ("orders effects, and computes nothing", "after_all create_token dce_sink stage"),
    ("has no lowering for a CPU", "linalg.ormqr"),
))  # fmt: skip
_WHY_NOT = reasons((
    ("factors are unique only up to sign and order", "linalg.eig linalg.schur"),
    ("approximate: its result is not defined to a bound", "approx_max_k approx_min_k"),
    ("random bits of an algorithm that the platform chooses", "rng_bit_generator rng_uniform"),
    ("reinterprets bits, which bounds do not follow", "bitcast_convert_type"),
    ("its memory holds anything", "empty"),
    ("a rounding, of which differences of values say nothing", "reduce_precision"),
    ("XLA does not take back the HLO that it is written as", "mulhi"),
    ("JAX has no gradient of it", "scatter_apply composite"),
))  # fmt: skip
_HLO_NOT_COUNTED = reasons((
    (
        "for several devices",
        "stablehlo.all_gather stablehlo.all_reduce stablehlo.all_to_all stablehlo.collective_broadcast "
        "stablehlo.collective_permute stablehlo.cross-replica-sum stablehlo.partition_id stablehlo.reduce_scatter "
        "stablehlo.replica_id",
    ),
    (
        "a stream or a token",
        "stablehlo.after_all stablehlo.async_done stablehlo.async_start stablehlo.create_token stablehlo.infeed "
        "stablehlo.outfeed stablehlo.recv stablehlo.send",
    ),
    (
        "a shape that is known late",
        "stablehlo.dynamic_broadcast_in_dim stablehlo.dynamic_conv stablehlo.dynamic_gather stablehlo.dynamic_iota "
        "stablehlo.dynamic_pad stablehlo.dynamic_reshape stablehlo.get_dimension_size stablehlo.real_dynamic_slice "
        "stablehlo.set_dimension_size",
    ),
    ("quantised numbers", "stablehlo.uniform_dequantize stablehlo.uniform_quantize"),
    (
        "no lowering of JAX writes it",
        "stablehlo.batch_norm_grad stablehlo.batch_norm_inference stablehlo.batch_norm_training stablehlo.broadcast "
        "stablehlo.dot stablehlo.einsum stablehlo.get_tuple_element stablehlo.if stablehlo.map "
        "stablehlo.torch_index_select stablehlo.tuple stablehlo.unary_einsum chlo._asin_acos_kernel "
        "chlo.broadcast_add chlo.broadcast_and chlo.broadcast_atan2 chlo.broadcast_compare chlo.broadcast_complex "
        "chlo.broadcast_divide chlo.broadcast_maximum chlo.broadcast_minimum chlo.broadcast_multiply "
        "chlo.broadcast_next_after chlo.broadcast_or chlo.broadcast_polygamma chlo.broadcast_power "
        "chlo.broadcast_remainder chlo.broadcast_select chlo.broadcast_shift_left "
        "chlo.broadcast_shift_right_arithmetic chlo.broadcast_shift_right_logical "
        "chlo.broadcast_subtract chlo.broadcast_xor chlo.broadcast_zeta "
        "chlo.constant chlo.constant_like chlo.is_inf chlo.is_neg_inf chlo.is_pos_inf chlo.scan chlo.tan",
    ),
))  # fmt: skip
_PRIMITIVE = re.compile(r"(?<=\s)=\s+([a-z][\w-]*)")
_OPERATION = re.compile(r"(?<![\w.#])((?:stablehlo|chlo)\.[a-z_]\w*)")
_CALLED = re.compile(r"\blax\.((?:linalg\.)?[a-z]\w*)")


@dataclass(frozen=True, slots=True)
class Seen:
    """In how many programs each thing stands.

    Attributes:
        primitives: The primitives of jaxprs, forward or backward.
        calls: The names behind ``lax.`` in sources.
        forward: The operations of StableHLO in forward texts.
        backward: And in those of vector-Jacobian products.
        either: And in one or the other.
    """

    primitives: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    forward: Counter[str] = field(default_factory=Counter)
    backward: Counter[str] = field(default_factory=Counter)
    either: Counter[str] = field(default_factory=Counter)


def coverage(programs: int) -> tuple[Coverage, ...]:
    """Every operation of the installed JAX, with the first programs of seed 0, category by category, as evidence."""
    seen = _seen(programs)
    evidence = f"the first {programs:,} programs of seed 0, each category in turn"
    version = compiler.TESTED_VERSION
    lax = tuple(_of_lax(*operation, seen) for operation in compiler.operations())
    hlo = tuple(_of_stablehlo(name, seen) for name in compiler.dialects())
    return (
        Coverage("Operations", f"jax.lax in JAX {version}", _LAX_COUNTS, _LAX_MEANING, evidence, lax),
        Coverage("Operations", f"StableHLO as JAX {version} writes it", _HLO_COUNTS, _HLO_MEANING, evidence, hlo),
    )


def _seen(programs: int) -> Seen:
    names, seen = list(CATEGORIES), Seen()
    for index in range(programs):
        try:
            kernel = synthesise(0, index, Settings(((names[index % len(names)], 1.0),)))
        except Discard:
            continue
        lowered = lower(kernel, (JAXPR, STABLEHLO))
        if isinstance(lowered, Reject):
            continue
        texts = {name: text or "" for name, text in lowered.texts.items()}
        seen.calls.update({*_CALLED.findall(kernel.source)})
        seen.primitives.update(primitives_in(texts["jaxpr_forward"] + texts["jaxpr_backward"]))
        forward, backward = (operations_in(texts[f"stablehlo_{way}"]) for way in ("forward", "backward"))
        seen.forward.update(forward)
        seen.backward.update(backward)
        seen.either.update(forward | backward)
    return seen


def primitives_in(jaxpr: str) -> set[str]:
    """The primitives that a jaxpr's text binds, those of the jaxprs inside it too."""
    return {*_PRIMITIVE.findall(jaxpr)}


def operations_in(text: str) -> set[str]:
    """The operations of StableHLO and CHLO in a module's text, with their dialect before them."""
    return {*_OPERATION.findall(text)}


def _of_lax(name: str, primitive: str | None, differentiable: bool, seen: Seen) -> Builtin:
    alone = primitive or _PRIMITIVES.get(name)
    own = "With a primitive" if alone else "Composed of others"
    group = "Linear algebra" if name.startswith("linalg.") else own
    internal = _NOT_COUNTED.get(name, "")
    used = 0 if internal else max(seen.calls[name], seen.primitives[alone] if alone else 0)
    forward = not internal and (bool(used) or _is_modelled(name))
    smooth = differentiable if primitive else name not in _WITHOUT_GRADIENT
    reason = internal or (
        "" if used else _WHY_NOT.get(name) or f"not in the {'synthesiser' if forward else 'reference'}"
    )
    return Builtin(name, group, not internal, used, forward, forward if smooth else None, reason)


def _is_modelled(name: str) -> bool:
    module, _, last = name.rpartition(".")
    return last in vars(vars(LAX)[module] if module else LAX)


def _of_stablehlo(name: str, seen: Seen) -> Builtin:
    internal = _HLO_NOT_COUNTED.get(name, "")
    used = 0 if internal else seen.either[name]
    reason = internal or ("" if used else "in no text of these programs")
    group = name.partition(".")[0]
    forward, backward = (bool(used and which[name]) for which in (seen.forward, seen.backward))
    if used and not forward:
        reason = "in backward texts alone"
    return Builtin(name, group, not internal, used, forward, backward, reason)
