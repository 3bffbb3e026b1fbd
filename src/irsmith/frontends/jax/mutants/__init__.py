"""Spoiling jaxprs, StableHLO and HLO: one change at a time, in the ways that a compiler or a tool may go wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from irsmith.frontends.jax.mutants import jaxprs
from irsmith.frontends.jax.mutants.lines import Dialect, read
from irsmith.frontends.jax.mutants.mutations import MUTATIONS
from irsmith.frontends.jax.stages import JAXPR, STABLEHLO
from irsmith.rng import Stream
from irsmith.verify.mutants import Mutant

__all__ = ["MUTATIONS", "spoiled"]


def spoiled(texts: Mapping[str, str | None], stage: str, *, backward: bool, random: Stream) -> Iterator[Mutant]:
    """For each mutation that has a place in a stage's texts, one mutant at a random such place.

    Args:
        texts: The row's columns.
        stage: The stage to spoil.
        backward: Whether its backward too.
        random: Which places.
    """
    dialect = Dialect.STABLEHLO if stage.startswith(STABLEHLO.name) else Dialect.HLO
    for direction in ("forward", "backward") if backward else ("forward",):
        column = f"{stage}_{direction}"
        text = texts.get(column)
        if text is None:
            continue
        if stage == JAXPR.name:
            yield from jaxprs.spoiled(texts, column, random)
            continue
        known = read(text, dialect, random)
        lines = text.splitlines()
        for name, mutation in MUTATIONS.items():
            edits = [(line.place, new) for line in known if (new := mutation(line)) and new != line.text]
            if edits:
                place, new = random.pick(edits)
                changed = "\n".join([*lines[:place], new, *lines[place + 1 :]]) + "\n"
                yield Mutant(name, column, lines[place].strip(), texts={**texts, column: changed})
