"""The dtypes of JAX's arrays, in NumPy's terms."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np


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
