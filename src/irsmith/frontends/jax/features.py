"""Tags of features of JAX, by the names in a source that use them."""

from __future__ import annotations

NAMES: dict[str, str] = {
    **dict.fromkeys(("sum", "mean", "prod", "max", "min", "var", "std", "any", "all", "argmax", "argmin"), "reduce"),
    **dict.fromkeys(("logsumexp", "softmax", "log_softmax", "norm", "reduce", "reduce_window", "trace"), "reduce"),
    **dict.fromkeys(("median", "ptp", "count_nonzero", "reduce_sum", "reduce_max", "reduce_min"), "reduce"),
    **dict.fromkeys(("reduce_or", "reduce_xor", "standardize"), "reduce"),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "scan", "associative_scan", "cumlogsumexp"), "scan"),
    **dict.fromkeys(("take", "take_along_axis", "searchsorted", "interp", "index_take"), "gather"),
    **dict.fromkeys(("roll",), "stencil"),
    **dict.fromkeys(("dot", "matmul", "einsum", "tensordot", "outer", "vdot", "inner"), "matmul"),
    **dict.fromkeys(("dot_general", "ragged_dot", "batch_matmul", "multi_dot", "matvec"), "matmul"),
    **dict.fromkeys(("conv_general_dilated", "conv", "convolve", "conv_transpose"), "convolution"),
    **dict.fromkeys(("conv_general_dilated_local", "conv_general_dilated_patches"), "convolution"),
    **dict.fromkeys(("conv_with_general_padding",), "convolution"),
    **dict.fromkeys(("cond", "switch", "select"), "branch"),
    **dict.fromkeys(("fori_loop", "while_loop"), "loop"),
    **dict.fromkeys(("where",), "where"),
    **dict.fromkeys(("vmap",), "vmap"),
    **dict.fromkeys(("sort", "argsort", "top_k", "sort_key_val"), "sort"),
    **dict.fromkeys(("fft", "ifft", "rfft", "irfft", "fft2"), "fft"),
    **dict.fromkeys(("solve", "cholesky", "qr", "inv", "det", "eigh", "svd", "solve_triangular"), "linear_algebra"),
    **dict.fromkeys(("slogdet", "svdvals", "tridiagonal_solve", "cholesky_update"), "linear_algebra"),
    **dict.fromkeys(("normal", "uniform", "bernoulli", "categorical", "PRNGKey", "key", "split"), "random"),
    **dict.fromkeys(("reshape", "transpose", "swapaxes", "concatenate", "stack", "pad", "tile", "repeat"), "layout"),
    **dict.fromkeys(("relu", "gelu", "silu", "sigmoid", "swish", "elu", "softplus", "one_hot"), "activation"),
}
"""The last name of a call or an attribute, and the tag that it stands for."""

FEATURES = frozenset({*NAMES.values(), "helper", "update", "comment", "docstring"})
"""Every tag that a reading may find beside the patterns."""

MIXING = frozenset({"matmul", "convolution", "fft", "sort", "linear_algebra"})
"""Features with which an element of a result hangs on many elements of an argument: no map of elements."""
