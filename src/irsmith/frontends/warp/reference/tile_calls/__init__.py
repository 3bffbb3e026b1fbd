"""The builtins of tiles."""

from irsmith.frontends.warp.reference.tile_calls.arguments import Handler
from irsmith.frontends.warp.reference.tile_calls.memory import MEMORY
from irsmith.frontends.warp.reference.tile_calls.products import PRODUCTS
from irsmith.frontends.warp.reference.tile_calls.reductions import REDUCTIONS
from irsmith.frontends.warp.reference.tile_calls.shapes import SHAPES
from irsmith.frontends.warp.reference.tile_calls.solvers import SOLVERS
from irsmith.frontends.warp.reference.tile_calls.spectra import SPECTRA
from irsmith.frontends.warp.reference.tile_calls.stacks import STACKS
from irsmith.frontends.warp.reference.tile_calls.threads import THREADS

TILES: dict[str, Handler] = {**MEMORY, **SHAPES, **REDUCTIONS, **PRODUCTS, **SOLVERS, **SPECTRA, **STACKS, **THREADS}
"""Builtins by name."""
