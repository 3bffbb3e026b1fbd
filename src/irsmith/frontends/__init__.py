"""The frontends: one folder each, named in one table, imported when used."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from irsmith.errors import UserError, nearest
from irsmith.frontends.base import Frontend

TABLE = {"warp": "irsmith.frontends.warp", "jax": "irsmith.frontends.jax"}
"""Frontend name to the module whose ``FRONTEND`` is it."""


@cache
def get(name: str) -> Frontend:
    """The frontend of that name. It loads its JIT only when asked to do something.

    Raises:
        UserError: There is none of that name.
    """
    if name not in TABLE:
        raise UserError(f"unknown frontend {name!r}: {nearest(name, TABLE)}")
    frontend: Frontend = import_module(TABLE[name]).FRONTEND
    return frontend
