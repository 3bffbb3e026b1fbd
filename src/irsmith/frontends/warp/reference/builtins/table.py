"""All builtins that are formulas of their arguments' values."""

from __future__ import annotations

from irsmith.frontends.warp.reference.builtins import (
    decompositions,
    geometry,
    matrix,
    noise,
    norms,
    quaternion,
    random,
    rigid,
    rotation,
    scalar,
    vector,
)
from irsmith.frontends.warp.reference.builtins.overload import Table


def _joined(*tables: Table) -> Table:
    result: Table = {}
    for table in tables:
        for name, overloads in table.items():
            result[name] = (*result.get(name, ()), *overloads)
    return result


# Scalars first: they are by far the most used.
BUILTINS = _joined(
    *(
        module.TABLE
        for module in (
            scalar,
            vector,
            matrix,
            quaternion,
            random,
            norms,
            rotation,
            rigid,
            noise,
            geometry,
            decompositions,
        )
    )
)
"""The overloads of each builtin, tried in order. More than one is tried only for other argument types."""
