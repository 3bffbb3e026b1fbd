"""Whether a spoiled text computes what the right one does, so that nobody could tell it by what it computes.

It does only if its outputs, and the adjoints of what it has, are the same, to the last bit, on 64 wide input sets that
take in the edges of branches; or if it is another way to write the same function of real numbers: the same to ten
digits on those sets when both texts are run in float64, and as it is no further off than rounding goes. Adjoints of the
host's text count where the function has a derivative: what they are elsewhere is not said of any text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from irsmith.kernel import Kernel
from irsmith.row import Row
from irsmith.verify.derivative import ALL, differentiable, directions
from irsmith.verify.inputs import SEARCH, Inputs
from irsmith.verify.mutants import Mutant
from irsmith.verify.ports import (
    Adjoint,
    Array,
    Failed,
    NotModelledError,
    Ran,
    Reference,
    Sets,
    Toolchain,
    Trial,
    Wider,
)
from irsmith.verify.values import bits, floats, is_float, joined, leaves, resolution, take, widened

WIDE = 64
"""Input sets on which an equivalent mutant gives the same."""

LEAST_SMOOTH = 16
"""Of those, how many need to have a derivative for the others to be left out of account."""

SAME = 1e-10
"""How far two texts of one function of real numbers may be apart in float64, as a share of the largest element."""

ROUNDED = 64.0
"""And as they are, in units of the last place of it: further off, they round too differently to be called the same."""

STEP = 1e-6
"""How far a set is moved to see whether the function is smooth there, in units of an input's range."""


def equivalent(row: Row, mutants: Sequence[Mutant], toolchain: Toolchain) -> list[bool]:
    """Whether each mutant computes the same as its row."""
    of_texts = [one for one in mutants if one.texts is not None]
    right = {
        stage: _wide_trial(row, stage, toolchain)
        for stage in dict.fromkeys(stage_of(one, toolchain) for one in of_texts)
    }
    outcomes = _outcomes(right, of_texts, toolchain)
    smooth = _smooth(row, toolchain) if toolchain.host in right else None
    same: dict[int, bool] = {}
    for one, (expected, found) in zip(of_texts, outcomes, strict=True):
        stage = stage_of(one, toolchain)
        kept = smooth if stage == toolchain.host else None
        same[id(one)] = _alike(expected, found, kept, _same_bits) or (
            _alike(expected, found, kept, _rounded) and _same_function(right[stage], one, kept, toolchain)
        )
    return [
        same[id(one)] if one.source is None else _same_meaning(row.kernel, one.source, toolchain) for one in mutants
    ]


def _outcomes(
    right: Mapping[str, Trial], mutants: Sequence[Mutant], toolchain: Toolchain
) -> list[tuple[Ran | Failed, Ran | Failed]]:
    """What the trial of each mutant's stage gives, and what the mutant gives in its place."""
    trials = [*right.values()]
    for one in mutants:
        assert one.texts is not None
        trials.append(replace(right[stage_of(one, toolchain)], texts=one.texts))
    found = iter(toolchain.submit(trials)() if trials else [])
    expected = {stage: next(found) for stage in right}
    return [(expected[stage_of(one, toolchain)], next(found)) for one in mutants]


def _same_function(trial: Trial, mutant: Mutant, kept: Array | None, toolchain: Toolchain) -> bool:
    """Whether a mutant is another way to write the function of real numbers that a stage's texts are."""
    assert mutant.texts is not None
    wide = toolchain.in_float64(trial.kernel, (trial.texts, mutant.texts), trial.stage)
    if wide is None:
        return False
    first, second = wide[0].toolchain.submit([_in_float64(trial, one) for one in wide])()
    return _alike(first, second, kept, _same_numbers)


def _in_float64(trial: Trial, wide: Wider) -> Trial:
    def of(sets: Sets) -> dict[str, Array]:
        return {name: widened(array) for name, array in sets.items()}

    assert trial.forward is not None
    adjoint = trial.backward and Adjoint(of(trial.backward.primal), of(trial.backward.adjoint))
    return replace(trial, kernel=wide.kernel, texts=wide.texts, forward=of(trial.forward), backward=adjoint)


def _smooth(row: Row, toolchain: Toolchain) -> Array | None:
    """The adjoint's runs of `_wide_trial` at which the function has a derivative; None where those are few.

    It has one where nothing ties, and where what ties does so in all that is near: at a maximum of a value and itself.
    """
    sets = _wide_sets(row.kernel, toolchain)
    reference = toolchain.reference(row.kernel.source, row.kernel.name)
    found = ~np.asarray(reference.run(sets, row.kernel.signature.launch, trace=True).kink)
    found |= _level(row.kernel, toolchain, reference, sets)
    return np.tile(found, 2) if found.sum() >= LEAST_SMOOTH else None


def _level(kernel: Kernel, toolchain: Toolchain, reference: Reference, sets: Sets) -> Array:
    """The sets from which a step to either side, in two directions, takes the way that the set itself takes."""
    ways = [directions(kernel, Inputs(kernel, toolchain.dtype), sets, f"selftest {n}") for n in range(2)]
    steps = [(way, sign * STEP) for way in ways for sign in (1.0, -1.0)]
    moved = {name: np.concatenate([widened(array)] * (1 + len(steps))) for name, array in sets.items()}
    for place, (way, step) in enumerate(steps, 1):
        together = way.names.index(ALL) if ALL in way.names else 0
        for name, move in way.moves.items():
            part = moved[name][place * WIDE : (place + 1) * WIDE]
            for (_, leaf), (_, by) in zip(floats(part), floats(move), strict=True):
                leaf[...] += step * by[together]
    path = np.asarray(reference.run(moved, kernel.signature.launch, precision="float64", trace=True).path)
    path = path.reshape(1 + len(steps), WIDE)
    return np.asarray((path[1:] == path[0]).all(axis=0))


def stage_of(mutant: Mutant, toolchain: Toolchain) -> str:
    """The stage whose text was spoiled."""
    stages = (toolchain.host, toolchain.twin, *toolchain.also)
    return max((stage for stage in stages if mutant.where.startswith(f"{stage}_")), key=len)


def _wide_sets(kernel: Kernel, toolchain: Toolchain) -> dict[str, Array]:
    modes = [SEARCH[place % len(SEARCH)] for place in range(WIDE)]
    return Inputs(kernel, toolchain.dtype).sets(modes, "selftest")


def _wide_trial(row: Row, stage: str, toolchain: Toolchain) -> Trial:
    """The row on the wide sets; its adjoint on what stood in memory before the launch, and on what it left."""
    sets = _wide_sets(row.kernel, toolchain)
    adjoint = None
    if row.texts.get(f"{stage}_backward"):
        left = toolchain.reference(row.kernel.source, row.kernel.name).run(sets, row.kernel.signature.launch).outputs
        primal = joined(sets, {name: left.get(name, array) for name, array in sets.items()})
        random = Inputs(row.kernel, toolchain.dtype).uniform("selftest weights")
        weights = {name: np.zeros_like(primal[name]) for name in differentiable(row.kernel)}
        for weight in weights.values():
            for _, leaf in floats(weight):
                leaf[...] = random.signs(leaf.shape)
        adjoint = Adjoint(primal, weights)
    return Trial(row.id, row.kernel, stage, row.texts, sets, adjoint)


def _alike(
    first: Ran | Failed, second: Ran | Failed, smooth: Array | None, same: Callable[[Array, Array], bool]
) -> bool:
    """Whether two runs left the same in every array, adjoints on the smooth sets alone."""
    if isinstance(first, Failed) or isinstance(second, Failed):
        return False
    pairs = [(first.forward, second.forward, None), (first.backward, second.backward, smooth)]
    for one, two, kept in pairs:
        if one is None:
            continue
        if two is None:
            return False
        places = slice(None) if kept is None else kept
        if not _same_arrays(take(one, places), take(two, places), same):
            return False
    return True


def _same_meaning(kernel: Kernel, source: str, toolchain: Toolchain) -> bool:
    sets = _wide_sets(kernel, toolchain)
    try:
        spoiled = toolchain.reference(source, kernel.name)
    except NotModelledError:
        return False
    right = toolchain.reference(kernel.source, kernel.name).run(sets, kernel.signature.launch)
    found = spoiled.run(sets, kernel.signature.launch)
    return not any(found.faults) and _same_arrays(right.outputs, found.outputs, _same_bits)


def _same_arrays(first: Mapping[str, Array], second: Mapping[str, Array], same: Callable[[Array, Array], bool]) -> bool:
    return all(
        same(a, b)
        for name, array in first.items()
        for (_, a), (_, b) in zip(leaves(array), leaves(second[name]), strict=True)
    )


def _same_bits(first: Array, second: Array) -> bool:
    return bool((bits(first) == bits(second)).all())


def _rounded(first: Array, second: Array) -> bool:
    """Whether two arrays of sets are no further apart than rounding goes."""
    if not is_float(first.dtype):
        return _same_bits(first, second)
    return _near(first, second, ROUNDED * float(resolution(first.dtype).eps))


def _same_numbers(first: Array, second: Array) -> bool:
    """Whether two arrays of sets in float64 hold what may be the same real numbers."""
    return _near(first, second, SAME) if is_float(first.dtype) else _same_bits(first, second)


def _near(first: Array, second: Array, share: float) -> bool:
    """Whether two arrays differ by at most a share of the largest element of a set, and are finite together."""
    one, two = (array.astype(np.float64).reshape(len(array), -1) for array in (first, second))
    finite = np.isfinite(one)
    with np.errstate(all="ignore"):
        size = np.where(finite, np.abs(one), 0.0).max(axis=1, initial=0.0, keepdims=True)
        near = np.where(finite, np.abs(one - two) <= share * size, bits(one) == bits(two))
    return bool(near.all())
