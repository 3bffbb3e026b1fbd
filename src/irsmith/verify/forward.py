"""Compiled outputs against the reference's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from irsmith.verify.explore import Plain
from irsmith.verify.observe import Observed, apart, floor
from irsmith.verify.ports import Array
from irsmith.verify.values import differs, is_float, leaves
from irsmith.verify.verdict import Measured

SCREEN = 16.0
"""How many of the smallest tolerances an output may be off before its set is looked at closely."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How compiled outputs compare with the reference's.

    Attributes:
        different: The arrays that disagree in some set.
        sets: The sets in which one does.
        compared: The share of the elements of what is written that were compared.
        closest: The element that came closest to its tolerance, or exceeded it most.
    """

    different: tuple[str, ...]
    sets: tuple[int, ...]
    compared: float
    closest: Measured


def compare(observed: Observed, outputs: Mapping[str, Array], within: int | None = None) -> Comparison:
    """Compare the final contents of every array, inputs too: none may be written to.

    Of the sets behind the first ``within`` nobody asks how much of them is compared.
    """
    different: list[str] = []
    bad = np.zeros(observed.count, bool)
    total = skipped = 0
    closest = Measured(0.0, 0.0)
    for name, exact in observed.exact.items():
        written = bool(differs(observed.sets[name], exact).any())
        for (path, right), (_, found) in zip(leaves(exact), leaves(outputs[name]), strict=True):
            key = name, path
            wrong = apart(observed, key, found)
            if wrong.any():
                different.append(name)
                bad |= wrong.reshape(observed.count, -1).any(axis=1)
            if written:
                total += wrong[:within].size
                skipped += int(observed.aside[key][:within].sum())
            if is_float(right.dtype):
                closest = max(closest, _closest(observed, key, right, found), key=lambda one: one.ratio)
    places = tuple(int(place) for place in np.flatnonzero(bad))
    return Comparison(tuple(dict.fromkeys(different)), places, 1 - skipped / max(total, 1), closest)


def suspects(observed: Observed, plain: Plain, outputs: Mapping[str, Array]) -> list[int]:
    """The sets on which compiled outputs are further from the reference's than any observed rounding goes."""
    bad = np.zeros(len(plain.faults), bool)
    with np.errstate(all="ignore"):
        for name, exact in plain.exact.items():
            for (path, right), (_, found) in zip(leaves(exact), leaves(outputs[name]), strict=True):
                if not is_float(right.dtype):
                    wrong = found != right
                else:
                    known = np.where(observed.aside[name, path], 0.0, observed.tolerance[name, path])
                    size = SCREEN * floor(right)
                    wrong = ~(
                        np.abs(found.astype(np.float64) - right.astype(np.float64))
                        <= np.maximum(size, known.max(initial=0.0))
                    )
                bad |= wrong.reshape(len(bad), -1).any(axis=1)
    return [int(place) for place in np.flatnonzero(bad)]


def _closest(observed: Observed, key: tuple[str, str], right: Array, found: Array) -> Measured:
    if not right.size:
        return Measured(0.0, 0.0)
    tolerance = observed.tolerance[key]
    with np.errstate(all="ignore"):
        error = np.abs(found.astype(np.float64) - right.astype(np.float64))
        ratio = np.where(observed.aside[key] | observed.lost[key], 0.0, np.nan_to_num(error / tolerance, nan=np.inf))
    place = int(np.argmax(ratio))
    return Measured(float(error.flat[place]), float(tolerance.flat[place])) if ratio.flat[place] else Measured(0.0, 0.0)
