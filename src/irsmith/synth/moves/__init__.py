"""The repertoire: which moves there are for which operands, and how often people make them."""

from __future__ import annotations

from irsmith.synth.choice import Choice
from irsmith.synth.moves.composites import COMPOSITE_MOVES, WIDE_MOVES
from irsmith.synth.moves.rigid import RIGID_MOVES
from irsmith.synth.moves.scalars import PLAIN_MOVES, SCALAR_MOVES, Move, Moves

Repertoire = dict[str, Choice[Move]]


def _join(*parts: tuple[Moves, float]) -> Repertoire:
    kinds = {kinds for moves, _ in parts for kinds in moves}
    return {
        kind: Choice((move, weight * scale) for moves, scale in parts for weight, move in moves.get(kind, ()))
        for kind in sorted(kinds)
    }


PLAIN = _join((PLAIN_MOVES, 1.0), (COMPOSITE_MOVES, 1.0))
"""Arithmetic alone."""

USUAL = _join((PLAIN_MOVES, 1.0), (SCALAR_MOVES, 0.16), (COMPOSITE_MOVES, 1.0))
"""What most kernels do."""

WIDE = _join((PLAIN_MOVES, 1.0), (SCALAR_MOVES, 0.16), (WIDE_MOVES, 1.0))
"""Vectors longer than four."""

MATHEMATICAL = _join((PLAIN_MOVES, 0.6), (SCALAR_MOVES, 1.6), (COMPOSITE_MOVES, 1.0))
"""Functions first."""

MECHANICAL = _join((PLAIN_MOVES, 1.0), (SCALAR_MOVES, 0.3), (COMPOSITE_MOVES, 1.0), (RIGID_MOVES, 1.0))
"""Rotations and rigid bodies, where vectors have three components."""
