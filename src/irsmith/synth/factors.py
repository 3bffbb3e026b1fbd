"""What takes a matrix apart does to lanes of sample values. Signs and order of the factors are NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Lanes = npt.NDArray[Any]


def singular(m: Lanes) -> tuple[Lanes, Lanes, Lanes]:
    """``U``, the singular values and ``V``."""
    u, values, turned = np.linalg.svd(m)
    return u, values, turned.swapaxes(-1, -2)


def eigen(m: Lanes) -> tuple[Lanes, Lanes]:
    """The eigenvectors of symmetric matrices as columns, and the eigenvalues."""
    values, vectors = np.linalg.eigh(m)
    return vectors, values


def orthogonal_triangular(m: Lanes) -> tuple[Lanes, Lanes]:
    """Orthogonal and upper triangular factors, the latter with a diagonal that is not negative."""
    q, r = np.linalg.qr(m)
    signs = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0.0, -1.0, 1.0)
    return q * signs[..., None, :], r * signs[..., :, None]


FACTORS: dict[str, Callable[[Lanes], tuple[Lanes, ...]]] = {
    "svd2": singular, "svd3": singular, "eig3": eigen, "qr3": orthogonal_triangular,
}  # fmt: skip
"""Functions of a matrix with several results, by name."""
