"""How each operator of the synthesiser is written in Warp: a template, and how tightly it binds.

In a template ``{0}`` is an operand that may bind as loosely as the operator itself and ``{0!r}`` is not used;
the printer adds parentheses where an operand binds less tightly than its place asks for.
"""

from __future__ import annotations

from typing import NamedTuple

# Python's precedence, loosest first.
TERNARY, OR, AND, NOT, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(14)


class Spelling(NamedTuple):
    """One operator in Warp.

    Attributes:
        template: The text, operands in braces.
        binding: How tightly the text binds.
        places: How tightly each operand must bind to stand without parentheses.
    """

    template: str
    binding: int
    places: tuple[int, ...]


def _infix(sign: str, binding: int, *, chain: bool = True) -> Spelling:
    """A left-associative infix operator; comparisons do not chain."""
    return Spelling(f"{{}} {sign} {{}}", binding, (binding if chain else binding + 1, binding + 1))


def _call(name: str, count: int) -> Spelling:
    return Spelling(f"{name}({', '.join(['{}'] * count)})", ATOM, (TERNARY,) * count)


_FUNCTIONS = {
    1: ("abs", "sign", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp",
        "log", "log2",
        "log10", "floor", "ceil", "round", "frac", "degrees", "radians", "normalize", "length", "length_sq",
        "transpose",
        "determinant", "trace", "inverse", "diag", "step", "trunc", "rint", "erf", "erfc", "erfinv", "erfcinv",
        "nonzero", "bit_count", "argmin", "argmax", "norm_l1", "norm_l2", "inverse_approx", "get_diag", "skew"),
    2: ("min", "max", "pow", "atan2", "cw_mul", "cw_div", "dot", "cross", "ddot", "outer", "copysign", "div_approx",
        "norm_huber", "norm_pseudo_huber", "smooth_normalize"),
    3: ("clamp", "lerp", "smoothstep"),
}  # fmt: skip

_RIGID = {
    "qinverse": ("quat_inverse", 1), "qnormalize": ("normalize", 1), "qdot": ("dot", 2), "qlength": ("length", 1),
    "qrotate": ("quat_rotate", 2), "qrotate_inv": ("quat_rotate_inv", 2), "qmatrix": ("quat_to_matrix", 1),
    "qfrom_matrix": ("quat_from_matrix", 1), "qaxis_angle": ("quat_from_axis_angle", 2), "qrpy": ("quat_rpy", 3),
    "qslerp": ("quat_slerp", 3), "qfrom_euler": ("quat_from_euler", 4), "qto_euler": ("quat_to_euler", 4),
    "qto_rpy": ("quat_to_rpy", 1), "qtwist": ("quat_twist", 2), "qtwist_angle": ("quat_twist_angle", 2),
    "qtwist_signed": ("quat_twist_angle_signed", 2),
    "tpoint": ("transform_point", 2), "tvector": ("transform_vector", 2), "tinverse": ("transform_inverse", 1),
    "tposition": ("transform_get_translation", 1), "trotation": ("transform_get_rotation", 1),
    "tmatrix": ("transform_to_matrix", 1), "hpoint": ("transform_point", 2), "hvector": ("transform_vector", 2),
    "htransform": ("transform_from_matrix", 1), "hcompose": ("transform_compose", 3),
    "wdot": ("spatial_dot", 2), "wcross": ("spatial_cross", 2), "wcross_dual": ("spatial_cross_dual", 2),
    "wtop": ("spatial_top", 1), "wbottom": ("spatial_bottom", 1), "wvelocity": ("velocity_at_point", 2),
    "ttwist": ("transform_twist", 2), "twrench": ("transform_wrench", 2), "wadjoint": ("spatial_adjoint", 2),
    "noise": ("noise", 2), "noise_line": ("noise", 2), "pnoise": ("pnoise", 4), "pnoise_space": ("pnoise", 5),
    "curlnoise": ("curlnoise", 2), "axis_angle": ("quat_to_axis_angle", 1), "decompose": ("transform_decompose", 1),
    "svd2": ("svd2", 1), "svd3": ("svd3", 1), "qr3": ("qr3", 1), "eig3": ("eig3", 1),
    "set_position": ("transform_set_translation", 2), "set_rotation": ("transform_set_rotation", 2),
}  # fmt: skip
_CHANCE = {
    "randf": 1, "randn": 1, "poisson": 2, "randi": 3, "randu": 3, "sample_unit_ring": 1, "sample_unit_disk": 1,
    "sample_unit_square": 1, "sample_triangle": 1, "sample_unit_sphere_surface": 1, "sample_unit_sphere": 1,
    "sample_unit_hemisphere_surface": 1, "sample_unit_hemisphere": 1, "sample_unit_cube": 1,
}  # fmt: skip
_RIGID_SIGNS = {"qmul": "*", "tmul": "*", "wadd": "+", "wsub": "-", "wscale": "*", "amul": "@"}

_SUMS = ("add", "sub", "vadd", "vsub", "madd", "msub")
_SIGNS = {
    "add": "+", "vadd": "+", "madd": "+", "sub": "-", "vsub": "-", "msub": "-",
    "mul": "*", "vscale": "*", "mscale": "*", "mmul": "@", "mvmul": "@", "div": "/", "vdiv": "/", "mod": "%",
    "rem": "%", "floordiv": "//",
    "shl": "<<", "shr": ">>", "and": "&", "xor": "^", "or": "|",
}  # fmt: skip
_BINDINGS = {"<<": SHIFT, ">>": SHIFT, "&": BIT_AND, "^": BIT_XOR, "|": BIT_OR, "+": SUM, "-": SUM}
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}

SPELLINGS: dict[str, Spelling] = {
    **{name: _call(f"wp.{name}", count) for count, names in _FUNCTIONS.items() for name in names},
    **{name: _infix(sign, _BINDINGS.get(sign, PRODUCT)) for name, sign in _SIGNS.items()},
    **{name: _infix(sign, COMPARE, chain=False) for name, sign in _COMPARISONS.items()},
    "neg": Spelling("-{}", UNARY, (UNARY,)),
    "vneg": Spelling("-{}", UNARY, (UNARY,)),
    "vmin": _call("wp.min", 2),
    "vmax": _call("wp.max", 2),
    "vabs": _call("wp.abs", 1),
    "vlerp": _call("wp.lerp", 3),
    "vsign": _call("wp.sign", 1),
    "vlow": _call("wp.min", 1),
    "vhigh": _call("wp.max", 1),
    "mcw_mul": _call("wp.cw_mul", 2),
    "from_rows": _call("wp.matrix_from_rows", 3),
    "from_cols": _call("wp.matrix_from_cols", 3),
    **{name: _call(f"wp.{function}", count) for name, (function, count) in _RIGID.items()},
    **{name: _infix(sign, _BINDINGS.get(sign, PRODUCT)) for name, sign in _RIGID_SIGNS.items()},
    **{name: _call(f"wp.{name}", count) for name, count in _CHANCE.items()},
    "randf_between": _call("wp.randf", 3),
    "closest_edges": _call("wp.closest_point_edge_edge", 5),
    "triangles_meet": _call("wp.intersect_tri_tri", 6),
    "isfinite": _call("wp.isfinite", 1),
    "isinf": _call("wp.isinf", 1),
    "isnan": _call("wp.isnan", 1),
    "invert": Spelling("~{}", UNARY, (UNARY,)),
    "square": Spelling("{0} * {0}", PRODUCT, (PRODUCT + 1,)),
    "both": _infix("and", AND),
    "either": _infix("or", OR),
    "not": Spelling("not {}", NOT, (NOT,)),
    "choose": Spelling("{1} if {0} else {2}", TERNARY, (OR, OR, TERNARY)),
}
"""Every operator that the synthesiser uses, by its name there."""

TILED: dict[str, tuple[str, ...]] = {
    "tile_load": ("", "shape", "offset"), "tile_store": ("", "", "offset"), "tile_atomic_add": ("", "", "offset"),
    "tile_load_indexed": ("", "indices", "shape", "offset"), "tile_store_indexed": ("", "indices", "t", "offset"),
    "tile_atomic_add_indexed": ("", "indices", "t", "offset"), "tile_zeros": ("shape", "dtype"),
    "tile_ones": ("shape", "dtype"), "tile_full": ("shape", "value", "dtype"), "tile_reshape": ("", "shape"),
    "tile_broadcast": ("", "shape"), "tile_view": ("", "offset", "shape"), "tile_assign": ("", "", "offset"),
    "tile_astype": ("", "dtype"), "tile_from_thread": ("shape", "value", "thread_idx"),
    "tile_matmul": ("", "", "", "alpha"), "tile_arange": ("", "", "", ""), "tile_empty": ("shape", "dtype"),
    "tile_stack": ("capacity", "dtype"), "tile_randf": ("shape", "rng", "min", "max"),
    "tile_randi": ("shape", "rng", "min", "max"),
}  # fmt: skip
"""The names by which the operands of builtins of tiles are given; those that have none stand in their order."""

OF_LIBRARIES: dict[str, str] = {
    "tile_matmul": "gemm", "tile_fft": "fft", "tile_ifft": "fft",
    **{f"tile_{name}{how}": "solver"
       for name in ("cholesky", "cholesky_solve", "lower_solve", "upper_solve") for how in ("", "_inplace")},
}  # fmt: skip
"""Builtins of tiles for which a GPU's text calls a library unless a module option says otherwise, and which."""

AUGMENTED: dict[str, str] = {
    name: sign for name, sign in _SIGNS.items() if sign in {"+", "-", "*", "/", "%", "//", "&", "|", "^"}
}
"""The signs of augmented assignments."""

VECTOR_SUFFIX = {
    "float16": "h", "float32": "f", "float64": "d", "int8": "b", "uint8": "ub", "int16": "s", "uint16": "us",
    "int32": "i", "uint32": "ui",
    "int64": "l", "uint64": "ul",
}  # fmt: skip
"""What Warp appends to ``vec3`` or ``mat33`` for each scalar."""
