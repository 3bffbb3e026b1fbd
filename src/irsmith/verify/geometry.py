"""Meshes and boxes for kernels that search them, drawn from a kernel's own random streams."""

from __future__ import annotations

import numpy as np

from irsmith.types import Bvh, Domain, Mesh
from irsmith.verify.ports import Array
from irsmith.verify.stream import Uniform

_JITTER = 0.15
"""How far a vertex is turned away from where a regular mesh has it, as a part of the distance to the next."""

_LEAST, _MOST = 0.03, 0.16
"""Half the extents of a box, as parts of the width of the domain of the centres."""


def draw(array: Array, type_: Mesh | Bvh, domain: Domain, random: Uniform) -> None:
    """Fill the sets of an argument.

    Args:
        array: The sets ``(sets,)``, of the dtype of the type's values.
        type_: What is drawn.
        domain: How far the vertices of a mesh are from the origin, or where the centres of boxes lie.
        random: Where the numbers come from.
    """
    if isinstance(type_, Mesh):
        _mesh(array, type_, domain, random)
        return
    centres = domain.low + (domain.high - domain.low) * random.draw((len(array), type_.count, 3))
    halves = (domain.high - domain.low) * (_LEAST + (_MOST - _LEAST) * random.draw(centres.shape))
    array["lowers"], array["uppers"] = centres - halves, centres + halves
    array["groups"] = np.arange(type_.count) % type_.groups


def _mesh(array: Array, type_: Mesh, domain: Domain, random: Uniform) -> None:
    sets, rings, segments = len(array), type_.rings, type_.segments
    turns = _JITTER * (2.0 * random.draw((sets, type_.vertices, 2)) - 1.0)
    across = np.pi / (rings + 1) * (1 + np.arange(rings)[:, None] + turns[:, 2:, 0].reshape(sets, rings, segments))
    # Every other ring is turned by half a step, so that no vertices stand in one line.
    places = np.arange(segments) + 0.5 * (np.arange(rings)[:, None] % 2)
    around = 2.0 * np.pi / segments * (places + turns[:, 2:, 1].reshape(sets, rings, segments))
    directions = np.zeros((sets, type_.vertices, 3))
    poles = np.pi / (rings + 1) * turns[:, :2]
    directions[:, :2, 0], directions[:, :2, 1] = poles[..., 0], poles[..., 1]
    directions[:, :2, 2] = (1.0, -1.0)
    ring = np.stack([np.sin(across) * np.cos(around), np.sin(across) * np.sin(around), np.cos(across)], axis=-1)
    directions[:, 2:] = ring.reshape(sets, -1, 3)
    directions /= np.sqrt((directions * directions).sum(axis=-1, keepdims=True))
    radii = domain.low + (domain.high - domain.low) * random.draw((sets, type_.vertices, 1))
    array["points"] = directions * radii
    array["velocities"] = 2.0 * random.draw((sets, type_.vertices, 3)) - 1.0
    array["indices"] = np.concatenate(_faces(rings, segments))


def _faces(rings: int, segments: int) -> list[tuple[int, int, int]]:
    """The triangles between two poles and rings, anticlockwise seen from outside."""

    def at(ring: int, place: int) -> int:
        return 2 + ring * segments + place % segments

    faces = [(0, at(0, k), at(0, k + 1)) for k in range(segments)]
    for ring in range(rings - 1):
        for k in range(segments):
            here, there = at(ring, k), at(ring, k + 1)
            below, beside = at(ring + 1, k), at(ring + 1, k + 1)
            if ring % 2:
                faces += [(here, beside, there), (here, below, beside)]
            else:
                faces += [(here, below, there), (there, below, beside)]
    return faces + [(1, at(rings - 1, k + 1), at(rings - 1, k)) for k in range(segments)]
