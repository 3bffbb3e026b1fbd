"""The table of operators: for each its operand kinds, its result, its legal domain, and whether it has a gradient.

How an operator is spelt belongs to each frontend, keyed by the names used here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from irsmith.synth import spans
from irsmith.synth.spans import Rule


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Attributes:
        name: Its name in the program, which frontends spell.
        operands: A kind for each operand, as `ir.Expr` names them; ``x`` stands for a float or an integer. In the
            operators on quaternions, transforms and spatial vectors, vectors have three components.
        result: ``same`` for the first operand's type, ``last`` for the last one's, ``scalar`` for the scalar of
            the first operand, ``row`` and ``m`` for the vector and the square matrix of the first operand's length,
            or one of `algebra.RESULTS` or a scalar for a type that does not follow from the operands.
        rule: Bounds of the result from bounds of the operands; None outside the legal domain.
        differentiable: Whether a gradient flows through it.
        nouns: What a person calls a variable that holds the result.
        damping: How much narrower the usual band is than the rule says, where rules are far from tight.
    """

    name: str
    operands: str
    result: str
    rule: Rule
    differentiable: bool = True
    nouns: tuple[str, ...] = ()
    damping: float = 1.0


_TABLE = (
    # Scalars of either kind.
    Operator("add", "xx", "same", spans.add, nouns=("total", "combined", "base")),
    Operator("sub", "xx", "same", spans.sub, nouns=("diff", "delta", "offset", "residual")),
    Operator("mul", "xx", "same", spans.mul, nouns=("scaled", "product", "weighted", "term")),
    Operator("square", "x", "same", spans.square, nouns=("sq", "energy", "power")),
    Operator("neg", "x", "same", spans.negate, nouns=("flipped", "neg")),
    Operator("abs", "x", "same", spans.absolute, nouns=("magnitude", "mag", "abs_val")),
    Operator("min", "xx", "same", spans.minimum, nouns=("lower", "smallest", "lo", "capped")),
    Operator("max", "xx", "same", spans.maximum, nouns=("upper", "largest", "hi", "floored")),
    Operator("clamp", "xxx", "same", spans.clamp, nouns=("clamped", "limited", "bounded")),
    Operator("sign", "x", "same", spans.sign, differentiable=False, nouns=("side", "direction", "sgn")),
    # Floats.
    Operator("div", "ff", "same", spans.div, nouns=("ratio", "quotient", "fraction", "rate")),
    Operator("mod", "ff", "same", spans.remainder, nouns=("wrapped", "phase", "remainder")),
    Operator("pow", "ff", "same", spans.power, nouns=("powered", "falloff", "curve")),
    Operator("sqrt", "f", "same", spans.rising(math.sqrt, 0.0, 1e6), nouns=("root", "radius", "sigma")),
    Operator("cbrt", "f", "same", spans.rising(math.cbrt, 0.01, 1e6), nouns=("root", "scale")),
    Operator("sin", "f", "same", spans.sine, nouns=("wave", "s", "swing", "oscillation")),
    Operator("cos", "f", "same", spans.cosine, nouns=("c", "wave", "carrier", "osc")),
    Operator("tan", "f", "same", spans.rising(math.tan, -1.2, 1.2), nouns=("slope", "tangent")),
    Operator("asin", "f", "same", spans.rising(math.asin, -0.98, 0.98), nouns=("angle", "elevation")),
    Operator("acos", "f", "same", spans.falling(math.acos, -0.98, 0.98), nouns=("angle", "theta")),
    Operator("atan", "f", "same", spans.rising(math.atan, -50.0, 50.0), nouns=("angle", "bearing")),
    Operator("atan2", "ff", "same", spans.arctan2, nouns=("angle", "heading", "theta")),
    Operator("sinh", "f", "same", spans.rising(math.sinh, -4.0, 4.0), nouns=("stretch", "sh")),
    Operator("cosh", "f", "same", spans.rising(math.cosh, 0.0, 4.0), nouns=("stretch", "ch")),
    Operator("tanh", "f", "same", spans.rising(math.tanh, -4.0, 4.0), nouns=("activation", "squashed", "response")),
    Operator("exp", "f", "same", spans.rising(math.exp, -8.0, 5.0), nouns=("growth", "weight", "decay", "factor")),
    Operator("log", "f", "same", spans.rising(math.log, 0.01, 1e6), nouns=("log_val", "level", "entropy")),
    Operator("log2", "f", "same", spans.rising(math.log2, 0.01, 1e6), nouns=("octave", "bits")),
    Operator("log10", "f", "same", spans.rising(math.log10, 0.01, 1e6), nouns=("decibel", "decades")),
    Operator("floor", "f", "same", spans.rounded(math.floor), differentiable=False, nouns=("cell", "lower_cell")),
    Operator("ceil", "f", "same", spans.rounded(math.ceil), differentiable=False, nouns=("upper_cell", "steps")),
    Operator("round", "f", "same", spans.rounded(round), differentiable=False, nouns=("nearest", "snapped")),
    Operator("frac", "f", "same", spans.fraction, nouns=("frac", "local")),
    Operator("lerp", "fff", "same", spans.blend, nouns=("blend", "mixed", "interp")),
    Operator("smoothstep", "fff", "same", spans.smoothstep, nouns=("fade", "smooth", "ease")),
    Operator("copysign", "ff", "same", spans.copied_sign, nouns=("signed", "directed")),
    Operator("step", "f", "same", spans.sign_bit, differentiable=False, nouns=("gate", "below")),
    Operator("trunc", "f", "same", spans.rounded(math.trunc), differentiable=False, nouns=("whole", "truncated")),
    Operator("rint", "f", "same", spans.rounded(round), differentiable=False, nouns=("nearest", "snapped")),
    Operator("erf", "f", "same", spans.rising(math.erf, -2.5, 2.5), nouns=("response", "cumulative")),
    Operator("erfc", "f", "same", spans.falling(math.erfc, -2.5, 2.5), nouns=("tail", "survival")),
    Operator("erfinv", "f", "same", spans.rising(spans.erfinv, -0.95, 0.95), nouns=("quantile", "z_score")),
    Operator("erfcinv", "f", "same", spans.falling(spans.erfcinv, 0.05, 1.95), nouns=("quantile", "z_score")),
    Operator("div_approx", "ff", "same", spans.div, nouns=("ratio", "fraction")),
    Operator("degrees", "f", "same", spans.rising(math.degrees, -50.0, 50.0), nouns=("deg",)),
    Operator("radians", "f", "same", spans.rising(math.radians, -720.0, 720.0), nouns=("rad", "angle")),
    # Integers.
    Operator("floordiv", "ii", "same", spans.floor_quotient, differentiable=False, nouns=("group", "half", "bucket")),
    Operator("rem", "ii", "same", spans.whole_remainder, differentiable=False, nouns=("wrapped", "lane", "slot")),
    Operator("shl", "ii", "same", spans.shift_left, differentiable=False, nouns=("shifted", "packed")),
    Operator("shr", "ii", "same", spans.shift_right, differentiable=False, nouns=("shifted", "high_bits")),
    Operator("and", "ii", "same", spans.bit_and, differentiable=False, nouns=("masked", "bits")),
    Operator("or", "ii", "same", spans.bit_or, differentiable=False, nouns=("merged", "flags")),
    Operator("xor", "ii", "same", spans.bit_xor, differentiable=False, nouns=("mixed", "hash_val")),
    Operator("invert", "i", "same", spans.inverted, differentiable=False, nouns=("complement", "flipped")),
    Operator("nonzero", "i", "same", spans.zero_or_not, differentiable=False, nouns=("present", "occupied")),
    Operator("bit_count", "i", "int32", spans.bits_set, differentiable=False, nouns=("ones", "popcount")),
    # Vectors.
    Operator("vadd", "vv", "same", spans.add, nouns=("total", "combined", "target")),
    Operator("vsub", "vv", "same", spans.sub, nouns=("delta", "diff", "offset", "d")),
    Operator("vneg", "v", "same", spans.negate, nouns=("flipped", "reverse")),
    Operator("vscale", "vf", "same", spans.mul, nouns=("scaled", "step", "impulse")),
    Operator("vdiv", "vf", "same", spans.div, nouns=("scaled", "unit")),
    Operator("cw_mul", "vv", "same", spans.mul, nouns=("modulated", "tinted", "scaled")),
    Operator("cw_div", "vv", "same", spans.div, nouns=("ratio", "relative")),
    Operator("vmin", "vv", "same", spans.minimum, nouns=("lower", "corner_lo")),
    Operator("vmax", "vv", "same", spans.maximum, nouns=("upper", "corner_hi")),
    Operator("vabs", "v", "same", spans.absolute, nouns=("extent", "abs_delta")),
    Operator("vlerp", "vvf", "same", spans.blend, nouns=("blend", "interp", "mid")),
    Operator("dot", "vv", "scalar", spans.dot, nouns=("projection", "alignment", "d", "along")),
    Operator("cross", "vv", "same", spans.cross, nouns=("axis", "torque", "perp")),
    Operator("normalize", "v", "same", spans.normalize, nouns=("direction", "dir", "unit", "n")),
    Operator("length", "v", "scalar", spans.length, nouns=("dist", "length", "r", "norm")),
    Operator("length_sq", "v", "scalar", spans.length_sq, nouns=("dist_sq", "r2", "norm_sq")),
    Operator("vsign", "v", "same", spans.sign, differentiable=False, nouns=("side", "octant")),
    Operator("vlow", "v", "scalar", spans.same, nouns=("smallest", "min_comp")),
    Operator("vhigh", "v", "scalar", spans.same, nouns=("largest", "max_comp")),
    Operator("argmin", "v", "uint32", spans.place, differentiable=False, nouns=("min_axis", "shortest")),
    Operator("argmax", "v", "uint32", spans.place, differentiable=False, nouns=("max_axis", "major_axis")),
    Operator("norm_l1", "v", "scalar", spans.taxicab, nouns=("manhattan", "l1", "spread")),
    Operator("norm_l2", "v", "scalar", spans.length, nouns=("l2", "norm", "mag")),
    Operator("norm_huber", "vf", "scalar", spans.huber, nouns=("penalty", "robust", "loss"), damping=0.6),
    Operator("norm_pseudo_huber", "vf", "scalar", spans.pseudo_huber, nouns=("penalty", "softened", "loss")),
    Operator("smooth_normalize", "vf", "same", spans.normalize_softly, nouns=("direction", "soft_dir", "unit")),
    # Matrices.
    Operator("madd", "mm", "same", spans.add, nouns=("total", "combined")),
    Operator("msub", "mm", "same", spans.sub, nouns=("diff", "residual")),
    Operator("mscale", "mf", "same", spans.mul, nouns=("scaled",)),
    Operator("mmul", "mm", "same", spans.dot, nouns=("product", "composed", "chain")),
    Operator("mvmul", "mv", "last", spans.dot, nouns=("rotated", "transformed", "mapped")),
    Operator("transpose", "m", "same", spans.same, nouns=("mt", "transposed")),
    Operator("determinant", "m", "scalar", spans.determinant, nouns=("det", "volume"), damping=0.25),
    Operator("trace", "m", "scalar", spans.total, nouns=("tr", "trace")),
    Operator("ddot", "mm", "scalar", spans.double_dot, nouns=("inner", "energy")),
    Operator("inverse", "m", "same", spans.refused, nouns=("inv", "m_inv")),
    Operator("inverse_approx", "m", "same", spans.refused, nouns=("inv", "m_inv")),
    Operator("mcw_mul", "mm", "same", spans.mul, nouns=("masked", "weighted")),
    Operator("get_diag", "m", "row", spans.same, nouns=("diag", "scales")),
    Operator("skew", "v", "m", spans.mirrored, nouns=("hat", "cross_mat", "omega")),
    Operator("from_rows", "vvv", "m", spans.either_of, nouns=("frame", "basis")),
    Operator("from_cols", "vvv", "m", spans.either_of, nouns=("frame", "basis")),
    Operator("outer", "vv", "m", spans.mul, nouns=("outer", "dyad")),
    Operator("diag", "v", "m", spans.with_zero, nouns=("diag",)),
    Operator("identity", "", "m", spans.unit),
    # Quaternions.
    Operator("qmul", "qq", "same", spans.hamilton, nouns=("q", "composed", "q_rel"), damping=0.4),
    Operator("qinverse", "q", "same", spans.mirrored, nouns=("q_inv", "conj")),
    Operator("qnormalize", "q", "same", spans.unit_ball, nouns=("q", "q_unit", "rot")),
    Operator("qdot", "qq", "scalar", spans.dot, nouns=("alignment", "cos_half")),
    Operator("qlength", "q", "scalar", spans.length, nouns=("norm", "q_len")),
    Operator("qrotate", "qv", "last", spans.rotated, nouns=("rotated", "world_dir", "turned"), damping=0.15),
    Operator("qrotate_inv", "qv", "last", spans.rotated, nouns=("local_dir", "body_dir", "unrotated"), damping=0.15),
    Operator("qmatrix", "q", "m3", spans.rotation_entries, nouns=("R", "rot_mat"), damping=0.4),
    Operator("qfrom_matrix", "m", "q", spans.unit_ball, nouns=("q", "rot")),
    Operator("qaxis_angle", "vf", "q", spans.about_axis, nouns=("q", "dq", "spin")),
    Operator("qrpy", "fff", "q", spans.unit_ball, nouns=("q", "attitude", "heading_q")),
    Operator("qslerp", "qqf", "same", spans.unit_ball, nouns=("q_mid", "interp", "q")),
    Operator("qfrom_euler", "viii", "q", spans.unit_ball, nouns=("q", "rot")),
    Operator("qto_euler", "qiii", "v3", spans.half_turn, nouns=("angles", "euler")),
    Operator("qto_rpy", "q", "v3", spans.half_turn, nouns=("rpy", "angles")),
    Operator("qtwist", "vq", "last", spans.unit_ball, nouns=("twist_q", "spin_q")),
    Operator("qtwist_angle", "vq", "f", spans.full_turn, nouns=("twist", "roll")),
    Operator("qtwist_signed", "vq", "f", spans.full_turn, nouns=("twist", "roll", "joint_angle")),
    Operator("qidentity", "", "q", spans.unit),
    # Transforms, and 4x4 matrices in kernels of three dimensions.
    Operator("tmul", "tt", "same", spans.composed, nouns=("X_wc", "pose", "world_tf"), damping=0.15),
    Operator("tpoint", "tv", "last", spans.moved, nouns=("world_pos", "x_world", "moved"), damping=0.15),
    Operator("tvector", "tv", "last", spans.rotated, nouns=("world_dir", "n_world"), damping=0.15),
    Operator("tinverse", "t", "same", spans.moved_back, nouns=("X_inv", "inv_tf"), damping=0.15),
    Operator("tposition", "t", "v3", spans.same, nouns=("p", "origin", "translation")),
    Operator("trotation", "t", "q", spans.same, nouns=("q", "rot")),
    Operator("tmatrix", "t", "h", spans.rigid_entries, nouns=("M", "mat"), damping=0.4),
    Operator("hpoint", "hv", "last", spans.projected, nouns=("p_world", "moved"), damping=0.4),
    Operator("hvector", "hv", "last", spans.projected, nouns=("n_world", "dir_world"), damping=0.4),
    Operator("htransform", "h", "t", spans.with_units, nouns=("xform", "pose")),
    Operator("hcompose", "vqv", "h", spans.scaled_motion, nouns=("M", "model"), damping=0.4),
    # Spatial vectors.
    Operator("wadd", "ww", "same", spans.add, nouns=("total", "net", "combined")),
    Operator("wsub", "ww", "same", spans.sub, nouns=("rel", "delta", "diff")),
    Operator("wscale", "wf", "same", spans.mul, nouns=("scaled", "step")),
    Operator("wdot", "ww", "scalar", spans.dot, nouns=("power", "work")),
    Operator("wcross", "ww", "same", spans.spatial_cross, nouns=("bias", "coriolis"), damping=0.4),
    Operator("wcross_dual", "ww", "same", spans.spatial_cross, nouns=("bias", "gyro"), damping=0.4),
    Operator("wtop", "w", "v3", spans.same, nouns=("omega", "ang", "torque")),
    Operator("wbottom", "w", "v3", spans.same, nouns=("lin", "vel", "force")),
    Operator("wvelocity", "wv", "last", spans.point_velocity, nouns=("v_point", "point_vel"), damping=0.5),
    Operator("ttwist", "tw", "last", spans.moved_twist, nouns=("twist_w", "v_world"), damping=0.1),
    Operator("twrench", "tw", "last", spans.moved_twist, nouns=("wrench_w", "f_world"), damping=0.1),
    Operator("wadjoint", "mm", "a", spans.with_zero_of_two, nouns=("ad", "adT")),
    Operator("amul", "aw", "last", spans.six_terms, nouns=("mapped", "twist_w"), damping=0.4),
    # Draws and noise. What is drawn has its span from its arguments.
    Operator("noise", "rv", "f", spans.noise, nouns=("n", "noise_val", "turb")),
    Operator("noise_line", "rf", "f", spans.noise, nouns=("n", "noise_val", "jitter")),
    Operator("pnoise", "rvii", "f", spans.noise, nouns=("n", "tiled", "pattern")),
    Operator("pnoise_space", "rviii", "f", spans.noise, nouns=("n", "tiled", "pattern")),
    Operator("curlnoise", "rv", "last", spans.curl, nouns=("swirl", "turbulence", "curl")),
)

OPERATORS: dict[str, Operator] = {operator.name: operator for operator in _TABLE}
"""The table, by name."""

COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
"""Tests of two scalars."""
