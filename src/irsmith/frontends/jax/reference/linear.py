"""Linear algebra and Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from irsmith.frontends.jax.reference.array import FLOATS, Array, array, floated, made, promoted
from irsmith.frontends.jax.reference.machine import Current
from irsmith.verify.ports import Array as Values


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
    """The eigenvalues of a symmetric matrix."""
    x = floated(x)
    values = _rounded(x)
    return made(np.linalg.eigvalsh((values + np.swapaxes(values, -1, -2)) / 2), x.dtype_name)


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
