"""The builtins of tiles."""

from irsmith.frontends.warp.reference.tile_calls.arguments import Handler
from irsmith.frontends.warp.reference.tile_calls.memory import MEMORY
from irsmith.frontends.warp.reference.tile_calls.products import PRODUCTS
from irsmith.frontends.warp.reference.tile_calls.reductions import REDUCTIONS
from irsmith.frontends.warp.reference.tile_calls.shapes import SHAPES

TILES: dict[str, Handler] = {**MEMORY, **SHAPES, **REDUCTIONS, **PRODUCTS}
"""Builtins by name."""
