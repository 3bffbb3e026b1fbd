"""Categories that go through the triangles of a mesh, each thread one, or through what a search of it finds."""

from __future__ import annotations

import numpy as np

from irsmith.synth.algebra import usual
from irsmith.synth.categories.meshes import space, stored
from irsmith.synth.categories.pen import Pen, Q, grown
from irsmith.synth.categories.searches import POINTS, Parts, around, collected
from irsmith.synth.categories.surfaces import FAR, Surface, mesh
from irsmith.synth.ir import Expr
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32, Mesh


class _Face:
    """A triangle of a mesh.

    Attributes:
        number: Which it is.
        tripled: Whether the author writes three times that, or that three times.
        held: The mesh's own arrays, where the author asks for them.
        about: Where it is imagined to be.
    """

    def __init__(self, p: Pen, surface: Surface, number: Q, near: Q | None = None) -> None:
        self.pen = p
        self.surface = surface
        self.number = number
        self.tripled = p.s.rng.chance(0.5)
        self.held: Expr | None = None
        way = p.s.probe.draw(self._vector("")) if near is None else p.s.probe.of(near.e)
        self.about = way / (np.sqrt((way * way).sum(axis=-1, keepdims=True)) + 0.1)

    def _vector(self, builtin: str, *operands: Q | Expr) -> Expr:
        return self.surface.call(builtin, "v", usual(-FAR, FAR), *operands)

    def _tell(self, call: Expr, spread: float, names: tuple[str, ...]) -> Q:
        lanes = self.about + spread * self.pen.s.probe.draw(call)
        return self.surface.tell(call, lanes, self.number, *names)

    def hold(self) -> None:
        """Ask for the mesh's arrays, to read corners from them."""
        self.held = self.surface.ask("mesh_get", names=("m", "mesh_data", "tri_mesh")).held

    def _index(self, corner: int) -> Q:
        """The place of a corner among the corners of all triangles."""
        first = 3 * self.number if self.tripled else self.number * 3
        return first + corner if corner else first

    @property
    def vertices(self) -> int:
        """How many vertices the mesh has."""
        assert isinstance(self.surface.type, Mesh)
        return self.surface.type.vertices

    def vertex(self, corner: int) -> Q:
        """Which vertex a corner is."""
        call = self._number(corner)
        lanes = np.floor(self.pen.s.probe.draw(call))
        return self.surface.tell(call, lanes, self.number, f"i{corner}", f"vid{corner}", "ijk"[corner])

    def _number(self, corner: int) -> Expr:
        span = usual(0, self.vertices - 1)
        if self.held is None:
            return self.surface.call("mesh_get_index", "i", span, self._index(corner))
        return Expr("index", "i", INT32, span, (self._index(corner).e,), f"{self.held.name}.indices")

    def corner(self, corner: int, *names: str, velocity: bool = False) -> Q:
        """A corner's point, or its velocity."""
        call = self._vector("mesh_get_velocity" if velocity else "mesh_get_point", self._index(corner))
        if self.held is not None:
            array = "velocities" if velocity else "points"
            call = call._replace(op="index", args=(self._number(corner),), name=f"{self.held.name}.{array}")
        return self._tell(call, 0.45, names)

    def corners(self) -> tuple[Q, Q, Q]:
        """The points of all three."""
        p0, p1, p2 = (
            self.corner(corner, *names)
            for corner, names in enumerate((("p0", "a", "p", "v0"), ("p1", "b", "q", "v1"), ("p2", "c", "r", "v2")))
        )
        return p0, p1, p2

    def middle(self, builtin: str, *names: str) -> Q:
        """What the corners hold, in the middle."""
        third = Expr("div", "f", self.pen.s.al.real, usual(0.3, 0.4), tuple(map(self.pen.literal, (1.0, 3.0))))
        return self._tell(self._vector(builtin, self.number, third, third), 0.2, names)

    def normal(self, *names: str) -> Q:
        """The unit normal."""
        call = self.surface.call("mesh_eval_face_normal", "v", usual(-1.0, 1.0), self.number)
        return self._tell(call, 0.3, names)


def mesh_faces(s: Sketch) -> None:
    """What each triangle of a mesh is: areas, normals, centres, volumes, and sums of them over vertices."""
    rng, p = s.rng, space(s)
    surface = mesh(p)
    # A thread for each triangle.
    s.guarded = True
    s.open(1, (surface.count,))
    face = _Face(p, surface, p.coords[0])
    if rng.chance(0.3):
        face.hold()
    a, b, c = face.corners()
    ab = p.let(b - a, "e1", "ab", "edge0")
    ac = p.let(c - a, "e2", "ac", "edge1")
    cross = p.let(p.fn("cross", ab, ac), "n", "area_n", "cross_v", "normal")
    size = p.perhaps(p.fn("length", cross), "len_n", "double_area", "n_len")
    forms = rng.shuffled(["area", "facing", "volume", "centre", "shape", "flux", "vertices", "spread"])
    for form in forms[: rng.pick((1, 2, 2, 3))]:
        if form == "area":
            area = grown(
                p, size * 0.5, p.at(p.reals(("thickness", "density", "face_weight"), 0.2, 2.0)), size=rng.pick((1, 2))
            )
            stored(p, area, ("areas", "face_mass", "area_out"))
        elif form == "facing":
            unit = face.normal("fn", "unit_n", "n_hat") if rng.chance(0.4) else p.fn("normalize", cross)
            way = p.at(p.vectors(("light_dirs", "wind_dirs", "view_dirs"), -1.0, 1.0))
            lit = p.let(p.fn("dot", unit, way), "facing", "cos_a", "ndl")
            stored(p, grown(p, lit, size=rng.pick((1, 1, 2))), ("exposure", "lit_out", "cos_out"))
        elif form == "volume":
            volume = p.let(p.fn("dot", a, p.fn("cross", b, c)) / 6.0, "vol", "v_f", "signed_volume")
            if rng.chance(0.5):
                total = p.totals(("volume", "total_volume", "mesh_volume"), (1,), s.al.real)
                s.fixed.add(total.e.name)
                p.atomic("add", p.at(total, 0), volume)
            else:
                stored(p, grown(p, volume, size=1), ("volumes", "tet_volumes", "vol_out"))
        elif form == "centre":
            centre = face.middle("mesh_eval_position", "mid", "centre") if rng.chance(0.4) else (a + b + c) / 3.0
            if rng.chance(0.6):
                centre = centre + cross * p.value(("offset", "lift", "bias"), 0.1, 0.6)
            stored(p, centre, ("centroids", "face_centers", "centers_out"))
        elif form == "shape":
            longest = p.fn("max", p.norm2(ab), p.norm2(ac))
            if rng.chance(0.5):
                longest = p.fn("max", p.let(longest, "longest", "max_e"), p.norm2(c - b))
            stored(p, grown(p, size / (longest + rng.pick((0.1, 0.05))), size=1), ("quality", "aspect", "shape_out"))
        elif form == "flux":
            speed = (
                face.corner(0, "v_a", "vel0", velocity=True)
                if rng.chance(0.4)
                else face.middle("mesh_eval_velocity", "v_face", "face_vel", "vel")
            )
            wind = p.at(p.vectors(("wind", "flow", "air_v"), -1.0, 1.0))
            rel = p.let(wind - speed, "rel", "v_rel", "rel_wind")
            through = p.fn("dot", rel, cross) * p.value(("drag", "air_density", "cd"), 0.2, 1.5)
            stored(
                p,
                cross * through if rng.chance(0.6) else grown(p, through, size=1),
                ("face_forces", "aero_f", "flow_out"),
            )
        elif form == "vertices":
            held = p.reals(("vertex_values", "temps", "heights", "scalars"), 0.0, 2.0, (face.vertices,))
            ends = [p.at(held, face.vertex(corner)) for corner in range(3)]
            mean = p.let((ends[0] + ends[1] + ends[2]) / 3.0, "mean", "avg", "face_val")
            stored(p, grown(p, mean, size, size=1), ("face_values", "integrals", "weighted"))
        else:
            _spread(p, face, cross, size)


def _spread(p: Pen, face: _Face, cross: Q, size: Q) -> None:
    """Add what a triangle has to its vertices."""
    s, rng = p.s, p.s.rng
    if rng.chance(0.6):
        target = p.totals(("vertex_normals", "normals", "vert_n"), (face.vertices,), cross.e.type)
        share = cross if rng.chance(0.5) else p.let(p.fn("normalize", cross), "unit_n", "n_hat")
    else:
        target = p.totals(("vertex_area", "vert_area", "vertex_mass"), (face.vertices,), s.al.real)
        share = p.let(size / 6.0, "third", "share", "a3")
    if rng.chance(0.6):
        share = p.let(
            share * p.at(p.reals(("face_density", "weights", "pressure"), 0.3, 2.0)), "part", "weighted_n", "w_n"
        )
    s.fixed.add(target.e.name)
    for corner in range(3):
        p.atomic("add", p.at(target, face.vertex(corner)), share)


def mesh_overlap(s: Sketch) -> None:
    """What the triangles near a point add up to: counts, areas, normals, centres."""
    rng, p = s.rng, space(s)
    s.open(1)
    surface = mesh(p)
    x = p.let(p.at(p.vectors(POINTS, -1.2, 1.2)), "x", "p", "center", "c", "q")
    query, box = around(p, surface, x)
    step = "" if rng.chance(0.5) else "mesh_query_next" if not box or rng.chance(0.4) else "mesh_query_aabb_next"

    def parts(item: Q, *, vectors: bool) -> Parts:
        face = _Face(p, surface, item, x)
        scalars: list[Q] = []
        ways: list[Q] = []
        for form in rng.shuffled(["normal", "centre", "corner", "area", "held", "velocity"])[: rng.pick((1, 2, 2))]:
            if form == "normal":
                n = face.normal("n", "fn", "normal_f")
                ways.append(n)
                if not vectors or rng.chance(0.3):
                    scalars.append(p.let(p.fn("dot", n, x), "side", "ndx", "along"))
            elif form == "centre":
                away = p.let(x - face.middle("mesh_eval_position", "centre", "mid", "c_f"), "delta", "offset", "d")
                ways.append(away)
                scalars.append(p.let(p.fn("length", away), "dist", "gap", "r_f"))
            elif form == "corner":
                away = p.let(x - face.corner(rng.below(3), "corner", "vert", "p_v"), "to_v", "rel", "dv")
                ways.append(away)
                scalars.append(p.norm2(away))
            elif form == "velocity":
                ways.append(face.middle("mesh_eval_velocity", "v_f", "face_vel", "surf_v"))
                scalars.append(p.fn("length", ways[-1]))
            elif form == "held":
                held = p.at(p.reals(("face_weights", "face_values", "pressures"), 0.2, 2.0, (surface.count,)), item)
                scalars.append(p.perhaps(held, "w_f", "weight", "val"))
            else:
                a, b, c = face.corners()
                scalars.append(p.let(p.fn("length", p.fn("cross", b - a, c - a)) * 0.5, "area", "a_f", "face_area"))
        return Parts(scalars, ways)

    names = ("face", "f", "tri", "face_index", "k")
    for total in collected(p, surface, query, names, step, parts, x):
        stored(p, total, ("overlap", "contact_area", "near_sum", "coverage", "collected"))
