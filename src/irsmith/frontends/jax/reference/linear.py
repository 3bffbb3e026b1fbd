"""Linear algebra and Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from irsmith.frontends.jax.reference.array import FLOATS, Array, array, floated, made, promoted
from irsmith.frontends.jax.reference.machine import Current
from irsmith.verify.ports import Array as Values

_CLOSE = 1e-3
"""Eigenvalues so close together, relative to the largest, turn with their gap and not with the matrix alone."""


def _rounded(x: Array) -> Values:
    return Current.lane.rounded(x.value, x.dtype_name)


def _of_matrix(function: Callable[[Values], Any]) -> Any:
    def found(x: Any, **_: Any) -> Array:
        x = floated(x)
        return made(function(_rounded(x)), x.dtype_name)

    return found


inv, det = _of_matrix(np.linalg.inv), _of_matrix(np.linalg.det)


def cholesky(x: Any, **_: Any) -> Array:
    """The lower factor of a positive definite matrix, of which the mean with its transpose is taken."""
    x = floated(x)
    values = _rounded(x)
    return made(np.linalg.cholesky((values + np.swapaxes(values, -1, -2)) / 2), x.dtype_name)


def solve(a: Any, b: Any) -> Array:
    """The solution of linear equations."""
    a, b = floated(a), floated(b)
    right = _rounded(b)
    if b.ndim == 1:
        return made(np.linalg.solve(_rounded(a), right[..., None])[..., 0], promoted(a, b)[0])
    return made(np.linalg.solve(_rounded(a), right), promoted(a, b)[0])


def qr(x: Any, mode: str = "reduced") -> Any:
    """Orthogonal and triangular factors."""
    x = floated(x)
    q, r = np.linalg.qr(_rounded(x))
    if mode == "r":
        return made(r, x.dtype_name)
    return made(q, x.dtype_name), made(r, x.dtype_name)


def slogdet(x: Any) -> tuple[Array, Array]:
    """The sign and logarithm of the determinant."""
    x = floated(x)
    sign, logarithm = np.linalg.slogdet(_rounded(x))
    Current.lane.decide(sign)
    return Array(sign, x.dtype_name), made(logarithm, x.dtype_name)


def eigvalsh(x: Any, **_: Any) -> Array:
    """The eigenvalues of a symmetric matrix, which have no slopes of their own where two are the same."""
    x = floated(x)
    values = _rounded(x)
    found = np.linalg.eigvalsh((values + np.swapaxes(values, -1, -2)) / 2)
    Current.lane.tie(np.abs(np.diff(found, axis=-1)) < _CLOSE * np.abs(found).max())
    return made(found, x.dtype_name)


def svdvals(x: Any, **_: Any) -> Array:
    """The singular values, which have no slopes of their own where two are the same or one is zero."""
    x = floated(x)
    found = np.linalg.svd(_rounded(x), compute_uv=False)
    apart = np.abs(np.diff(found, axis=-1, append=0.0))
    Current.lane.tie(apart < _CLOSE * np.abs(found).max())
    return made(found, x.dtype_name)


def svd(x: Any, *, compute_uv: bool = True, **_: Any) -> Array:
    """The singular values; vectors are unique only up to sign."""
    if compute_uv:
        raise TypeError("singular vectors are not modelled")
    return svdvals(x)


def cholesky_update(r: Any, w: Any) -> Array:
    """The upper factor of a matrix to which the product of a vector with itself is added."""
    r, w = floated(r), floated(w)
    upper, vector = np.triu(_rounded(r)), _rounded(w)
    found = np.linalg.cholesky(upper.T @ upper + np.outer(vector, vector))
    return made(found.T, promoted(r, w)[0])


def tridiagonal_solve(dl: Any, d: Any, du: Any, b: Any, **_: Any) -> Array:
    """The solution of equations of which each names three neighbours."""
    dl, d, du, b = (floated(part) for part in (dl, d, du, b))
    low, middle, up = (_rounded(part) for part in (dl, d, du))
    matrix = np.diag(low[1:], -1) + np.diag(middle) + np.diag(up[:-1], 1)
    return made(np.linalg.solve(matrix, _rounded(b)), promoted(dl, d, du, b)[0])


def symmetric_product(a: Any, c: Any, *, alpha: float = 1.0, beta: float = 0.0, symmetrize_output: bool = False) -> Any:
    """A matrix times its transpose, and another; of which JAX defines one triangle unless told to fill both."""
    a, c = floated(a), floated(c)
    if not symmetrize_output:
        raise TypeError("half of the result is not defined")
    left, dtype = _rounded(a), promoted(a, c)[0]
    found = alpha * left @ np.swapaxes(left, -1, -2) + beta * _rounded(c)
    return made(np.tril(found) + np.swapaxes(np.tril(found, -1), -1, -2), dtype)


def solve_triangular(
    a: Any, b: Any, trans: int = 0, lower: bool = False, unit_diagonal: bool = False, **_: Any
) -> Array:
    """The solution of triangular equations."""
    a, b = floated(a), floated(b)
    values = np.tril(_rounded(a)) if lower else np.triu(_rounded(a))
    if unit_diagonal:
        values = values - np.diag(np.diag(values)) + np.eye(len(values))
    return made(np.linalg.solve(np.swapaxes(values, -1, -2) if trans else values, _rounded(b)), promoted(a, b)[0])


def matrix_power(x: Any, n: int) -> Array:
    """A whole power of a matrix."""
    x = floated(x)
    return made(np.linalg.matrix_power(_rounded(x), n), x.dtype_name)


def _transform(name: str) -> Any:
    function = getattr(np.fft, name)

    def transformed(x: Any, *args: Any, **kwargs: Any) -> Array:
        x = array(x)
        real = x.dtype_name in FLOATS
        values = _rounded(x) if real else x.value
        found = function(values, *args, **kwargs)
        wide = x.dtype_name in ("float64", "complex128")
        if found.dtype.kind == "c":
            return Array(found, "complex128" if wide else "complex64")
        return made(found, "float64" if wide else "float32")

    return transformed


TRANSFORMS = {name: _transform(name) for name in ("fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "rfft2", "irfft2",
                                                  "fftshift", "ifftshift")}  # fmt: skip


def conjugate(x: Any) -> Array:
    """The complex conjugate."""
    x = array(x)
    return x.moved(np.conj(x.value))


def lax_complex(x: Any, y: Any) -> Array:
    """A complex number of two parts."""
    x, y = array(x), array(y)
    return Array(x.value + 1j * y.value, "complex128" if x.dtype_name == "float64" else "complex64")


def real(x: Any) -> Array:
    """The real part."""
    return array(x).real


def imag(x: Any) -> Array:
    """The imaginary part."""
    return array(x).imag


def angle(x: Any) -> Array:
    """The angle of a complex number."""
    x = array(x)
    return made(np.angle(x.value), "float64" if x.dtype_name == "complex128" else "float32")
