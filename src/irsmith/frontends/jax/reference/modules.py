"""The modules that a source imports, with this reference's functions in JAX's places: all that it models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from irsmith.frontends.jax.reference import elementwise as e
from irsmith.frontends.jax.reference import flow, learning, linear
from irsmith.frontends.jax.reference import reducing as r
from irsmith.frontends.jax.reference import shaping as s
from irsmith.frontends.jax.reference import special as p
from irsmith.frontends.jax.reference.array import Array, absolute, array, cast, matmul, named_dtype, power
from irsmith.frontends.jax.reference.machine import Current
from irsmith.verify.ports import NotModelledError


class Dtype(str):
    """A dtype, which makes an array of a number when it is called."""

    __slots__ = ()

    def __call__(self, x: Any) -> Array:
        """An array of the dtype."""
        return array(x, str(self))

    @property
    def name(self) -> str:
        """Its name."""
        return str(self)


DTYPES = {name: Dtype("bool" if name == "bool_" else name) for name in (
    "float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
    "uint64", "bool_", "complex64", "complex128",
)}  # fmt: skip


class Module:
    """A module of the names that are modelled."""

    def __init__(self, name: str, names: Mapping[str, Any]) -> None:
        self.__dict__.update(names)
        self.module_name = name

    def __getattr__(self, name: str) -> Any:
        raise NotModelledError(f"{self.module_name}.{name}")


def _named(module: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(module, name) for name in names}


def _reducing(function: Callable[..., Any], kind: str) -> Any:
    """A function of two that says how a window of it is folded."""

    class Folding:
        reduces = kind

        def __call__(self, a: Any, b: Any) -> Array:
            found: Array = function(a, b)
            return found

    return Folding()


_COMPARISONS = {
    "less": np.less, "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "equal": np.equal, "not_equal": np.not_equal,
}  # fmt: skip
_LAX_COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
_PICKED = _named(
    s, "zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "arange", "linspace", "eye", "identity", "tri",
    "asarray", "reshape", "transpose", "expand_dims", "squeeze", "swapaxes", "moveaxis", "flip", "roll", "tile",
    "repeat", "broadcast_to", "broadcast_arrays", "rot90", "ravel", "triu", "tril", "diagonal", "fliplr", "flipud",
    "diag", "atleast_1d",
    "atleast_2d", "concatenate", "stack", "hstack", "vstack", "column_stack", "split", "array_split", "meshgrid", "pad",
    "take", "take_along_axis",
)  # fmt: skip
_REDUCED = _named(
    r, "sum", "mean", "average", "prod", "var", "std", "max", "min", "ptp", "all", "any", "count_nonzero", "argmax",
    "argmin", "cumsum", "cumprod", "diff", "sort", "argsort", "median", "searchsorted", "digitize", "interp", "dot",
    "vdot", "inner", "outer", "cross", "kron", "tensordot", "einsum", "trace", "convolve", "polyval", "bincount",
    "nanmean",
)  # fmt: skip
_ELEMENTS = {
    **{name: function for name, function in e.SMOOTH.items() if name not in ("rsqrt", "logistic", "erf")},
    **_named(e, "square", "sign", "floor", "ceil", "rint", "trunc", "maximum", "minimum", "clip", "where", "select",
             "logaddexp", "arctan2", "hypot", "add", "subtract", "multiply", "logical_and", "logical_or",
             "logical_xor", "logical_not", "nan_to_num", "isfinite", "isnan", "astype"),
    **{name: e.comparison(function) for name, function in _COMPARISONS.items()},
    "abs": absolute, "absolute": absolute, "power": power, "pow": power, "matmul": matmul, "round": e.rint,
    "negative": lambda x: -array(x), "positive": array, "fabs": absolute, "true_divide": lambda a, b: array(a) / b,
    "divide": lambda a, b: array(a) / b, "mod": lambda a, b: array(a) % b, "remainder": lambda a, b: array(a) % b,
    "floor_divide": lambda a, b: array(a) // b, "exp2": e.SMOOTH["exp2"], "degrees": e.SMOOTH["rad2deg"],
    "radians": e.SMOOTH["deg2rad"], "conj": linear.conjugate, "conjugate": linear.conjugate, "real": linear.real,
    "imag": linear.imag, "angle": linear.angle, "invert": lambda x: ~array(x), "bitwise_and": lambda a, b: array(a) & b,
    "bitwise_or": lambda a, b: array(a) | b, "bitwise_xor": lambda a, b: array(a) ^ b,
    "left_shift": lambda a, b: array(a) << b, "right_shift": lambda a, b: array(a) >> b,
    "fmod": e.lax_rem, "bitwise_not": lambda x: ~array(x), **_named(p, "nextafter", "bitwise_count"),
}  # fmt: skip

LINALG = Module("jax.numpy.linalg", {
    **_named(linear, "inv", "det", "cholesky", "solve", "qr", "slogdet", "eigvalsh", "matrix_power"), "norm": r.norm,
    **_named(linear, "svd", "svdvals"),
})  # fmt: skip
FFT = Module("jax.numpy.fft", linear.TRANSFORMS)
JNP = Module("jax.numpy", {
    **DTYPES, **_PICKED, **_REDUCED, **_ELEMENTS, "array": s.asarray, "linalg": LINALG, "fft": FFT, "pi": np.pi,
    "e": np.e, "inf": np.inf, "nan": np.nan, "newaxis": None, "ndarray": Array, "bool": DTYPES["bool_"],
    "issubdtype": lambda a, b: str(a).startswith(str(b)), "shape": lambda x: array(x).shape,
    "ndim": lambda x: array(x).ndim, "size": lambda x: array(x).size, "copy": array, "permute_dims": s.transpose,
    "concat": s.concatenate, "cumulative_sum": r.cumsum,
})  # fmt: skip
LAX = Module("jax.lax", {
    **{name: e.SMOOTH[name] for name in ("exp", "exp2", "expm1", "log", "log1p", "sqrt", "rsqrt", "cbrt", "sin", "cos",
       "tan", "sinh", "cosh", "tanh", "logistic", "erf")},
    **{name: p.SPECIAL[name] for name in ("erfc", "erf_inv", "lgamma", "digamma", "zeta", "betainc")},
    "bessel_i0e": p.SPECIAL["i0e"], "bessel_i1e": p.SPECIAL["i1e"],
    "asin": e.SMOOTH["arcsin"], "acos": e.SMOOTH["arccos"], "atan": e.SMOOTH["arctan"],
    "asinh": e.SMOOTH["arcsinh"], "acosh": e.SMOOTH["arccosh"], "atanh": e.SMOOTH["arctanh"], "atan2": e.arctan2,
    **_named(e, "square", "integer_pow", "sign", "floor", "ceil", "clamp", "select_n"),
    "select": e.lax_select, "abs": absolute, "neg": lambda x: -array(x), "pow": power,
    "add": _reducing(e.add, "add"), "mul": _reducing(e.multiply, "mul"), "max": _reducing(e.maximum, "max"),
    "min": _reducing(e.minimum, "min"), "sub": e.subtract, "div": e.lax_div, "rem": e.lax_rem, "round": e.rint,
    "reciprocal": e.SMOOTH["reciprocal"], "is_finite": e.isfinite, "bitwise_and": lambda a, b: array(a) & b,
    "bitwise_or": lambda a, b: array(a) | b, "bitwise_xor": lambda a, b: array(a) ^ b,
    "bitwise_not": lambda x: ~array(x), "shift_left": lambda a, b: array(a) << b,
    **_named(p, "shift_right_logical", "population_count", "clz", "mulhi", "nextafter", "polygamma"),
    "igamma": p.SPECIAL["gammainc"], "igammac": p.SPECIAL["gammaincc"],
    "shift_right_arithmetic": lambda a, b: array(a) >> b,
    "convert_element_type": lambda x, dtype: cast(array(x), named_dtype(dtype)),
    **{name: e.comparison(function) for name, function in _LAX_COMPARISONS.items()},
    **_named(s, "iota", "broadcasted_iota", "reshape", "transpose", "squeeze", "expand_dims", "broadcast",
             "broadcast_in_dim", "collapse", "concatenate", "rev", "dynamic_slice", "dynamic_slice_in_dim",
             "dynamic_index_in_dim", "dynamic_update_slice", "dynamic_update_slice_in_dim", "slice_in_dim",
             "index_in_dim", "full", "full_like", "zeros_like", "tile", "dynamic_update_index_in_dim", "index_take",
             "broadcast_to_rank", "broadcast_like"),
    "slice": s.lax_slice, "pad": s.lax_pad,
    **_named(r, "cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "sort", "top_k", "dot_general", "argmax",
             "argmin", "dot", "sort_key_val"),
    "reduce_sum": r.sum, "reduce_max": r.max, "reduce_min": r.min, "reduce_prod": r.prod,
    "reduce_and": p.reduced(np.bitwise_and),
    "reduce_or": p.reduced(np.bitwise_or), "reduce_xor": p.reduced(np.bitwise_xor),
    "reduce": flow.closed_reduce, "batch_matmul": matmul,
    **_named(flow, "cond", "switch", "fori_loop", "while_loop", "scan", "associative_scan", "platform_dependent",
             "composite", "custom_root"),
    "map": flow.lax_map, "stop_gradient": flow.unchanged, "optimization_barrier": flow.unchanged,
    **_named(learning, "reduce_window", "conv_general_dilated", "conv", "conv_transpose",
             "conv_with_general_padding", "conv_general_dilated_patches", "conv_general_dilated_local", "ragged_dot"),
    "complex": linear.lax_complex, "real": linear.real, "imag": linear.imag, "conj": linear.conjugate,
    "linalg": Module("jax.lax.linalg", _named(
        linear, "cholesky", "qr", "svd", "cholesky_update", "tridiagonal_solve", "symmetric_product",
    )),
})  # fmt: skip
NN = Module("jax.nn", {
    **_named(e, "relu", "relu6", "sigmoid", "silu", "gelu", "softplus", "log_sigmoid", "soft_sign", "elu", "selu",
             "celu", "leaky_relu", "hard_tanh", "hard_sigmoid", "hard_silu", "mish", "squareplus"),
    "swish": e.silu, "hard_swish": e.hard_silu, "tanh": e.SMOOTH["tanh"],
    **_named(r, "softmax", "log_softmax", "standardize", "logsumexp"), **_named(learning, "one_hot", "glu"),
})  # fmt: skip
RANDOM = Module("jax.random", {
    **_named(learning, "split", "fold_in", "uniform", "bernoulli", "normal"), "PRNGKey": learning.prng_key,
})  # fmt: skip
SPECIAL = Module("jax.scipy.special", {
    **{name: function for name, function in p.SPECIAL.items() if name not in ("lgamma", "erf_inv")},
    "gammaln": p.SPECIAL["lgamma"], "erf": e.SMOOTH["erf"], "expit": e.sigmoid, "logsumexp": r.logsumexp,
    **_named(p, "betaln", "polygamma", "logit", "entr"),
})  # fmt: skip
SCIPY_LINALG = Module("jax.scipy.linalg", {
    **_named(linear, "solve_triangular", "inv", "det", "solve"), "cholesky": lambda x, lower=False:
    linear.cholesky(x) if lower else linear.cholesky(x).mT,
    "cho_solve": lambda pair, b: linear.solve(pair[0] @ pair[0].mT if pair[1] else pair[0].mT @ pair[0], b),
    "cho_factor": lambda x, lower=False: (linear.cholesky(x) if lower else linear.cholesky(x).mT, lower),
})  # fmt: skip
TREE = Module("jax.tree", {"map": flow.map_tree, "leaves": flow.leaves})


class _Config:
    def update(self, name: str, value: Any) -> None:
        """What a source sets: of it only the width of numbers matters."""
        if name == "jax_enable_x64":
            Current.lane.x64 = bool(value)


JAX = Module("jax", {
    "numpy": JNP, "lax": LAX, "nn": NN, "random": RANDOM, "jit": flow.jit, "vmap": flow.vmap, "checkpoint": flow.jit,
    "remat": flow.jit, "Array": Array, "config": _Config(), "tree": TREE, "named_call": flow.jit,
    "tree_util": Module("jax.tree_util", {"tree_map": flow.map_tree, "tree_leaves": flow.leaves}),
    "ops": Module("jax.ops", {"segment_sum": r.segment_sum}),
    "scipy": Module("jax.scipy", {"special": SPECIAL, "linalg": SCIPY_LINALG}),
    "typing": SimpleNamespace(ArrayLike=Any),
})  # fmt: skip
MODULES = {
    "jax": JAX, "jax.numpy": JNP, "jax.lax": LAX, "jax.nn": NN, "jax.random": RANDOM, "jax.numpy.linalg": LINALG,
    "jax.numpy.fft": FFT, "jax.scipy": JAX.scipy, "jax.scipy.special": SPECIAL, "jax.scipy.linalg": SCIPY_LINALG,
    "jax.tree": TREE, "jax.typing": JAX.typing, "jax.ops": JAX.ops,
}  # fmt: skip
"""What an import gives, by the module's full name."""

METHODS: Mapping[str, Callable[..., Any]] = {
    **{name: _REDUCED[name] for name in ("sum", "mean", "prod", "var", "std", "max", "min", "all", "any", "argmax",
       "argmin", "cumsum", "cumprod", "dot", "trace", "ptp", "sort", "argsort")},
    **{name: _PICKED[name] for name in ("reshape", "transpose", "squeeze", "swapaxes", "ravel", "repeat", "diagonal",
       "take")},
    "astype": e.astype, "flatten": s.ravel, "clip": e.clip, "conj": linear.conjugate, "copy": array, "round": e.rint,
    "item": lambda x: x.value.item(),
}  # fmt: skip
"""The methods of arrays."""
