"""What a theme is: the words and magnitudes of one field of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Quantity(NamedTuple):
    """A named quantity with the interval that its values come from."""

    name: str
    low: float
    high: float


def quantities(text: str) -> tuple[Quantity, ...]:
    """Read ``name low high`` triples separated by commas."""
    rows = (row.split() for row in text.split(","))
    return tuple(Quantity(name, float(low), float(high)) for name, low, high in rows)


# Mechanics speaks of these alike in every field.
_ROTATIONS = quantities(
    "orientation -1 1, rot -1 1, quat -1 1, attitude -1 1, q_rel -1 1, body_rot -1 1, target_rot -1 1, rest_rot -1 1,"
    "spin -1 1, frame_rot -1 1"
)
_MOTIONS = quantities(
    "body_q -1 1, xform -1 1, pose -1 1, X_wb -1 1, joint_frame -1 1, camera -1 1, parent_tf -1 1, child_tf -1 1,"
    "body_frame -1 1, anchor_tf -1 1"
)
_SPATIALS = quantities(
    "body_qd -2 2, twist -1.5 1.5, wrench -2 2, spatial_vel -2 2, body_f -2 2, joint_s -1 1, bias_force -1 1,"
    "momentum -2 2, spatial_acc -2 2"
)


@dataclass(frozen=True, slots=True)
class Theme:
    """The words of one field.

    Attributes:
        name: What the field is called.
        items: What one thread handles, singular.
        verbs: What a kernel of the field does, as a verb and, with it, the first part of a name.
        scalars: Quantities that come as arrays of scalars.
        vectors: Quantities that come as arrays of vectors.
        matrices: Quantities that come as arrays of matrices.
        params: Quantities passed by value.
        wholes: Quantities that are counted.
        results: Names of scalar results.
        vector_results: Names of vector results.
        temps: Names of intermediate values.
        rotations: Quantities that come as arrays of quaternions.
        motions: Quantities that come as arrays of rigid transforms.
        spatials: Quantities that come as arrays of spatial vectors.
    """

    name: str
    items: tuple[str, ...]
    verbs: tuple[str, ...]
    scalars: tuple[Quantity, ...]
    vectors: tuple[Quantity, ...]
    matrices: tuple[Quantity, ...]
    params: tuple[Quantity, ...]
    wholes: tuple[Quantity, ...]
    results: tuple[str, ...]
    vector_results: tuple[str, ...]
    temps: tuple[str, ...]
    rotations: tuple[Quantity, ...] = _ROTATIONS
    motions: tuple[Quantity, ...] = _MOTIONS
    spatials: tuple[Quantity, ...] = _SPATIALS
