"""The dtypes of JAX's arrays, in NumPy's terms."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from irsmith.errors import UserError


@cache
def require() -> None:
    """See that what the reference computes with is there; JAX itself need not be.

    Raises:
        UserError: It is not; the message names what to install.
    """
    for name in ("ml_dtypes", "scipy"):
        if find_spec(name) is None:
            raise UserError(f"the jax frontend needs {name}, which is not installed: pip install 'irsmith[jax]'")


@cache
def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of that name, bfloat16 included.

    Raises:
        TypeError: There is none.
    """
    if name == "bfloat16":
        import ml_dtypes

        wide: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return wide
    found: np.dtype[Any] = np.dtype(name)
    return found


def content(array: Any) -> tuple[str, tuple[int, ...], bytes]:
    """What an array holds: its dtype, its shape, and its elements' bytes. A random key is its data."""
    import jax

    dtype, shape = str(array.dtype), tuple(array.shape)
    if jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key):
        array = jax.random.key_data(array)
    return dtype, shape, np.asarray(array).tobytes()
