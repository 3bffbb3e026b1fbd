"""The category of what each thread of a block makes, taken together."""

from __future__ import annotations

from irsmith.synth.categories.pen import Q, grown, outside
from irsmith.synth.categories.tiles.pen import TilePen
from irsmith.synth.grow import grow, operands
from irsmith.synth.phases import branches, straight
from irsmith.synth.sketch import Sketch


def tile_block(s: Sketch) -> None:
    """What each thread makes, folded over its block and added to a total."""
    rng, p = s.rng, TilePen(s)
    s.cooperative = False
    s.open(1, (256,))
    for _ in range(rng.pick((1, 2, 2, 3))):
        s.load("f")
    for _ in range(rng.pick((0, 1))):
        s.param()
    straight.temps(s, min(5, max(1, s.budget // 3)))
    if rng.chance(0.4):
        s.attempt(lambda: branches.branch(s))
    value = Q(p, grow(s, operands(s, 3, "f", fresh=1.0), 1, "f"))
    while any(v.kind == "f" for v in s.fresh):
        value = grown(p, value, *outside(p, 1, "f"))
    thread = p.keep(value, "val", "term", "contrib", "local_value") if value.e.op != "name" else value
    s.read(thread.e)
    tile = p.bind(p.call("tile", thread, span=thread.e.span), s.probe.of(thread.e), "t", "tile_vals", "block_vals")
    if rng.chance(0.5):
        tile = p.mapped_builtin([tile]) if rng.chance(0.4) else p.operators([tile])
    word = rng.pick(("sum", "sum", "sum", "back"))
    if word == "back":
        p.read_tile(tile)
        mine = p.bind(p.call("untile", tile, span=tile.e.span), s.probe.of(tile.e), "mine", "v_i", "value", keep=False)
        s.add(mine.e)
        straight.finish(s)
    folded = p.fold(tile, "sum", 1, names=("block_sum", "total_t", "partial"))
    total = p.totals_array(("total", "loss", "energy_out", "result"), (1,), s.al.real)
    p.put_tile("tile_atomic_add", total, folded)
    if s.fresh:
        straight.finish(s)
