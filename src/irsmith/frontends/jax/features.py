"""Tags of features of JAX, by the names in a source that use them."""

from __future__ import annotations

NAMES: dict[str, str] = {
    **dict.fromkeys(("sum", "mean", "prod", "max", "min", "var", "std", "any", "all", "argmax", "argmin"), "reduce"),
    **dict.fromkeys(("logsumexp", "softmax", "log_softmax", "norm", "reduce", "reduce_window", "trace"), "reduce"),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "scan", "associative_scan", "cumlogsumexp"), "scan"),
    **dict.fromkeys(("take", "take_along_axis", "searchsorted", "interp"), "gather"),
    **dict.fromkeys(("roll",), "stencil"),
    **dict.fromkeys(("dot", "matmul", "einsum", "tensordot", "outer", "vdot", "inner"), "matmul"),
    **dict.fromkeys(("conv_general_dilated", "conv", "convolve"), "convolution"),
    **dict.fromkeys(("cond", "switch", "select"), "branch"),
    **dict.fromkeys(("fori_loop", "while_loop"), "loop"),
    **dict.fromkeys(("where",), "where"),
    **dict.fromkeys(("vmap",), "vmap"),
    **dict.fromkeys(("sort", "argsort", "top_k"), "sort"),
    **dict.fromkeys(("fft", "ifft", "rfft", "irfft", "fft2"), "fft"),
    **dict.fromkeys(("solve", "cholesky", "qr", "inv", "det", "eigh", "svd", "solve_triangular"), "linear_algebra"),
    **dict.fromkeys(("normal", "uniform", "bernoulli", "categorical", "PRNGKey", "key", "split"), "random"),
    **dict.fromkeys(("reshape", "transpose", "swapaxes", "concatenate", "stack", "pad", "tile", "repeat"), "layout"),
    **dict.fromkeys(("relu", "gelu", "silu", "sigmoid", "swish", "elu", "softplus", "one_hot"), "activation"),
}
"""The last name of a call or an attribute, and the tag that it stands for."""

FEATURES = frozenset({*NAMES.values(), "helper", "update", "comment", "docstring"})
"""Every tag that a reading may find beside the patterns."""
