"""What the operators on quaternions, transforms and spatial vectors do to lanes of sample values.

Quaternions are ``(x, y, z, w)``, transforms a translation and then a quaternion, spatial vectors an angular part and
then a linear one. Lanes come first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Lanes = npt.NDArray[Any]


def multiply(a: Lanes, b: Lanes) -> Lanes:
    """Hamilton's product."""
    u, s, v, t = a[..., :3], a[..., 3:], b[..., :3], b[..., 3:]
    imaginary = s * v + t * u + np.cross(u, v)
    return np.concatenate([imaginary, s * t - (u * v).sum(axis=-1, keepdims=True)], axis=-1)


def conjugate(q: Lanes) -> Lanes:
    """The inverse of a quaternion of length one."""
    result: Lanes = q * np.array([-1.0, -1.0, -1.0, 1.0])
    return result


def unit(q: Lanes) -> Lanes:
    """A quaternion of length one."""
    result: Lanes = q / (np.sqrt((q * q).sum(axis=-1, keepdims=True)) + 1e-12)
    return result


def rotate(q: Lanes, v: Lanes) -> Lanes:
    """A vector rotated."""
    u, w = q[..., :3], q[..., 3:]
    along = (u * v).sum(axis=-1, keepdims=True)
    result: Lanes = v * (2.0 * w * w - 1.0) + 2.0 * u * along + 2.0 * w * np.cross(u, v)
    return result


def matrix_of(q: Lanes) -> Lanes:
    """The rotated unit vectors as columns."""
    return np.stack([rotate(q, np.broadcast_to(axis, (*q.shape[:-1], 3))) for axis in np.eye(3)], axis=-1)


def from_matrix(m: Lanes) -> Lanes:
    """The rotation of a matrix, solved from its largest term."""
    r = m[..., :3, :3]
    x, y, z = r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]
    columns = []
    for signs in ((1, -1, -1), (-1, 1, -1), (-1, -1, 1), (1, 1, 1)):
        columns.append(1.0 + signs[0] * x + signs[1] * y + signs[2] * z)
    trace = x + y + z
    largest = np.where(trace >= 0.0, 3, np.argmax(np.stack([x, y, z], axis=-1), axis=-1))
    roots = [np.sqrt(np.maximum(column, 1e-12)) for column in columns]
    sums = {(i, j): r[..., i, j] + r[..., j, i] for i in range(3) for j in range(i + 1, 3)}
    turns = [r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]]
    candidates = []
    for index, root in enumerate(roots):
        parts: list[Lanes] = []
        for place in range(4):
            if place == index:
                parts.append(0.5 * root)
            elif index == 3:
                parts.append(0.5 * turns[place] / root)
            elif place == 3:
                parts.append(0.5 * turns[index] / root)
            else:
                parts.append(0.5 * sums[min(index, place), max(index, place)] / root)
        candidates.append(np.stack(parts, axis=-1))
    chosen: Lanes = np.choose(largest[..., None], candidates)
    return unit(chosen)


def about(axis: Lanes, angle: Lanes) -> Lanes:
    """The rotation about an axis."""
    half = np.broadcast_to(0.5 * np.asarray(angle), axis.shape[:-1])[..., None]
    return np.concatenate([axis * np.sin(half), np.cos(half)], axis=-1)


def axis_angle(q: Lanes) -> tuple[Lanes, Lanes]:
    """The axis, and the angle from 0 to pi."""
    size = np.sqrt((q[..., :3] ** 2).sum(axis=-1))
    sign = np.where(q[..., 3] < 0.0, -1.0, 1.0)
    return sign[..., None] * q[..., :3] / (size[..., None] + 1e-12), 2.0 * np.arctan2(size, np.abs(q[..., 3]))


def roll_pitch_yaw(roll: Lanes, pitch: Lanes, yaw: Lanes) -> Lanes:
    """Rotations about x, y and z, in this order."""
    angles = np.broadcast_arrays(roll, pitch, yaw)
    x, y, z = (
        about(np.broadcast_to(axis, (*angles[0].shape, 3)), a) for axis, a in zip(np.eye(3), angles, strict=True)
    )
    return multiply(z, multiply(y, x))


def _slerp(a: Lanes, b: Lanes, t: Lanes) -> Lanes:
    axis, angle = axis_angle(multiply(conjugate(a), b))
    return multiply(a, about(axis, angle * t))


def _from_euler(e: Lanes, i: float, j: float, k: float) -> Lanes:
    result = None
    for axis in map(int, (i, j, k)):
        turn = about(np.broadcast_to(np.eye(3)[axis], e.shape), e[..., axis])
        result = turn if result is None else multiply(turn, result)
    assert result is not None
    return result


def to_rpy(q: Lanes) -> Lanes:
    """Roll, pitch and yaw."""
    x, y, z, w = (q[..., place] for place in range(4))
    roll = np.arctan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2.0 * (w * y - z * x), -1.0, 1.0))
    yaw = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return np.stack([roll, pitch, yaw], axis=-1)


def _to_euler(q: Lanes, i: float, j: float, k: float) -> Lanes:
    """The angles about three different axes of a rotation, indexed by axis."""
    first, second, third = int(i), int(j), int(k)
    parity = (first - second) * (second - third) * (third - first) / 2
    w, u, v, s = q[..., 3], q[..., first], q[..., second], q[..., third] * parity
    a, b, c, d = w - v, u + s, v + w, s - u
    near, far = a * a + b * b, c * c + d * d
    middle = np.arccos(np.clip(2.0 * near / (near + far) - 1.0, -1.0, 1.0)) - np.pi / 2
    plus, minus = np.arctan2(b, a), np.arctan2(d, c)
    result = np.empty((*q.shape[:-1], 3))
    result[..., first], result[..., second], result[..., third] = plus - minus, middle, (plus + minus) * parity
    return result


def _twist_angle(axis: Lanes, q: Lanes) -> Lanes:
    result: Lanes = 2.0 * np.arctan2((axis * q[..., :3]).sum(axis=-1), q[..., 3])
    return result


def _twist(axis: Lanes, q: Lanes) -> Lanes:
    along = (axis * q[..., :3]).sum(axis=-1, keepdims=True)
    return unit(np.concatenate([along * axis, q[..., 3:]], axis=-1))


def _unsigned_twist(axis: Lanes, q: Lanes) -> Lanes:
    result: Lanes = 2.0 * np.arctan2(np.abs((axis * q[..., :3]).sum(axis=-1)), q[..., 3])
    return result


def point(t: Lanes, p: Lanes) -> Lanes:
    """A point moved."""
    result: Lanes = rotate(t[..., 3:], p) + t[..., :3]
    return result


def _compose(a: Lanes, b: Lanes) -> Lanes:
    return np.concatenate([point(a, b[..., :3]), multiply(a[..., 3:], b[..., 3:])], axis=-1)


def _invert(t: Lanes) -> Lanes:
    turned = conjugate(t[..., 3:])
    return np.concatenate([-rotate(turned, t[..., :3]), turned], axis=-1)


def _homogeneous(r: Lanes, p: Lanes) -> Lanes:
    result = np.zeros((*p.shape[:-1], 4, 4))
    result[..., :3, :3], result[..., :3, 3], result[..., 3, 3] = r, p, 1.0
    return result


def decompose(h: Lanes) -> tuple[Lanes, Lanes, Lanes]:
    """Position, rotation and scale of a 4x4 matrix."""
    r = h[..., :3, :3]
    scale = np.sqrt((r * r).sum(axis=-2))
    return h[..., :3, 3], from_matrix(r / (scale[..., None, :] + 1e-12)), scale


def _project(last: float) -> Callable[..., Lanes]:
    return lambda h, v: (h[..., :3, :3] @ v[..., None])[..., 0] + last * h[..., :3, 3]


def _spatial(a: Lanes, b: Lanes) -> Lanes:
    return np.concatenate([a, b], axis=-1)


def _halves(w: Lanes) -> tuple[Lanes, Lanes]:
    return w[..., :3], w[..., 3:]


def _cross(a: Lanes, b: Lanes) -> Lanes:
    (p, u), (q, v) = _halves(a), _halves(b)
    return _spatial(np.cross(p, q), np.cross(u, q) + np.cross(p, v))


def _cross_dual(a: Lanes, b: Lanes) -> Lanes:
    (p, u), (q, v) = _halves(a), _halves(b)
    return _spatial(np.cross(p, q) + np.cross(u, v), np.cross(p, v))


def _moved_twist(t: Lanes, x: Lanes) -> Lanes:
    w, v = (rotate(t[..., 3:], part) for part in _halves(x))
    return _spatial(w, v + np.cross(t[..., :3], w))


def _moved_wrench(t: Lanes, x: Lanes) -> Lanes:
    torque, force = (rotate(t[..., 3:], part) for part in _halves(x))
    return _spatial(torque + np.cross(t[..., :3], force), force)


def _adjoint(r: Lanes, s: Lanes) -> Lanes:
    result = np.zeros((*r.shape[:-2], 6, 6))
    result[..., :3, :3], result[..., 3:, 3:], result[..., 3:, :3] = r, r, s
    return result


def _wavy(state: Lanes, p: Lanes, *periods: float) -> Lanes:
    """A field that stands for noise: as smooth, as large, and as sensitive to each coordinate and to the state."""
    del periods
    v = p if p.ndim > 1 else p[..., None]
    rates = np.array([2.1, 2.7, 1.9, 2.3])[: v.shape[-1]]
    result: Lanes = 0.4 * np.sin(v * rates + np.arange(v.shape[-1]) + np.asarray(state)[..., None]).sum(axis=-1)
    return result


def _swirl(state: Lanes, p: Lanes) -> Lanes:
    return np.stack([_wavy(state, np.roll(p, axis, axis=-1)) for axis in range(p.shape[-1])], axis=-1)


ROTATION_MEANINGS: dict[str, Callable[..., Any]] = {
    "qmul": multiply, "qinverse": conjugate, "qnormalize": unit, "qdot": lambda a, b: (a * b).sum(axis=-1),
    "qlength": lambda q: np.sqrt((q * q).sum(axis=-1)), "qrotate": rotate,
    "qrotate_inv": lambda q, v: rotate(conjugate(q), v), "qmatrix": matrix_of, "qfrom_matrix": from_matrix,
    "qaxis_angle": about, "qrpy": roll_pitch_yaw, "qslerp": _slerp, "qfrom_euler": _from_euler,
    "qto_euler": _to_euler, "qto_rpy": to_rpy, "qtwist": _twist, "qtwist_angle": _unsigned_twist,
    "qtwist_signed": _twist_angle,
    "tmul": _compose, "tpoint": point, "tvector": lambda t, v: rotate(t[..., 3:], v), "tinverse": _invert,
    "tposition": lambda t: t[..., :3], "trotation": lambda t: t[..., 3:],
    "tmatrix": lambda t: _homogeneous(matrix_of(t[..., 3:]), t[..., :3]), "hpoint": _project(1.0),
    "hvector": _project(0.0), "htransform": lambda h: _spatial(h[..., :3, 3], from_matrix(h)),
    "hcompose": lambda p, q, s: _homogeneous(matrix_of(q) * s[..., None, :], p),
    "wadd": np.add, "wsub": np.subtract, "wscale": lambda w, x: w * np.asarray(x)[..., None],
    "wdot": lambda a, b: (a * b).sum(axis=-1), "wcross": _cross, "wcross_dual": _cross_dual,
    "wtop": lambda w: w[..., :3], "wbottom": lambda w: w[..., 3:],
    "wvelocity": lambda w, r: w[..., 3:] + np.cross(w[..., :3], r), "ttwist": _moved_twist, "twrench": _moved_wrench,
    "wadjoint": _adjoint, "amul": lambda a, w: (a @ w[..., None])[..., 0],
    "noise": _wavy, "noise_line": _wavy, "pnoise": _wavy, "pnoise_space": _wavy, "curlnoise": _swirl,
}  # fmt: skip
"""What operators do to lanes."""
