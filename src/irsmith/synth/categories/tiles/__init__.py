"""Categories of tiles, which a block of threads holds together."""

from irsmith.synth.categories.tiles.gathers import tile_gather
from irsmith.synth.categories.tiles.maps import tile_map
from irsmith.synth.categories.tiles.normalised import tile_normalise
from irsmith.synth.categories.tiles.products import tile_matmul
from irsmith.synth.categories.tiles.reductions import tile_reduction, tile_scan
from irsmith.synth.categories.tiles.searches import tile_search
from irsmith.synth.categories.tiles.shared import tile_share
from irsmith.synth.categories.tiles.solvers import tile_solve
from irsmith.synth.categories.tiles.spectra import tile_spectrum
from irsmith.synth.categories.tiles.threads import tile_block

__all__ = [
    "tile_block",
    "tile_gather",
    "tile_map",
    "tile_matmul",
    "tile_normalise",
    "tile_reduction",
    "tile_scan",
    "tile_search",
    "tile_share",
    "tile_solve",
    "tile_spectrum",
]
