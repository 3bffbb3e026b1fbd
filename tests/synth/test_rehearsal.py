"""A finished program is refused where something in it changes nothing, and for outputs that say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly, usual, whole
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Atomic, Expr, For, If, Jump, Program, Return, Span, Stmt, Thread, While
from irsmith.synth.rehearsal import rehearse
from irsmith.types import BOOL, FLOAT32, INT32, UINT32, UINT64, Domain, Mesh

N = 16
TID = Expr("name", "i", INT32, exactly(0.0), (), "i")


def real(name: str) -> Expr:
    return Expr("name", "f", FLOAT32, usual(-1.0, 1.0), (), name)


def element(name: str, *places: Expr) -> Expr:
    return Expr("index", "f", FLOAT32, usual(-1.0, 1.0), places or (TID,), name)


def number(value: float) -> Expr:
    return Expr("literal", "f", FLOAT32, exactly(value), (), "", value)


def do(op: str, *args: Expr) -> Expr:
    return Expr(op, "b" if op in {"lt", "gt"} else "f", BOOL if op in {"lt", "gt"} else FLOAT32, exactly(0.0), args)


X, Y, OUT, T = element("x"), element("y"), element("out"), real("t")
ACC, J = real("acc"), Expr("name", "i", INT32, exactly(0.0), (), "j")
ROW = element("row", TID, J)
ZERO = Expr("mutable", "f", FLOAT32, exactly(0.0), (), "", 0.0)


def ask(builtin: str, kind: str, *args: Expr) -> Expr:
    """What a search of a mesh gives."""
    types = {"s": UINT64, "f": FLOAT32, "b": BOOL, "i": INT32}
    return Expr("query", kind, types[kind], Span(0.0, 20.0, 0.4, 2.0), args, builtin)


def random(builtin: str, kind: str, *args: Expr) -> Expr:
    """What a generator of random numbers gives."""
    return Expr("random", kind, UINT32 if kind == "i" else FLOAT32, usual(0.0, 1.0), args, builtin)


STATE, SEED = (Expr("name", "i", UINT32, exactly(0.0), (), name) for name in ("state", "seed"))
HIT = Expr("name", "s", UINT64, exactly(0.0), (), "hit")
ALONG = Expr("field", "f", FLOAT32, Span(0.0, 20.0, 0.4, 2.0), (HIT,), "t")
FOUND = Expr("field", "b", BOOL, usual(0.0, 1.0), (HIT,), "result")
MESH = Expr("name", "i", UINT64, exactly(0.0), (), "mesh")
NEXT = ask("mesh_query_next", "b", HIT, J)

ARGUMENTS = {
    "seed": Argument("seed", INT32, 0, Direction.IN, (), Domain(0, 1000)),
    "mesh": Argument("mesh", Mesh(2, 4), 0, Direction.IN, (), Domain(0.6, 1.2)),
    "x": Argument("x", FLOAT32, 1, Direction.IN, (N,), Domain(-1.0, 1.0)),
    "y": Argument("y", FLOAT32, 1, Direction.IN, (N,), Domain(0.5, 1.0)),
    "row": Argument("row", FLOAT32, 2, Direction.IN, (N, 4), Domain(-1.0, 1.0)),
    "out": Argument("out", FLOAT32, 1, Direction.OUT, (N,)),
    "io": Argument("io", FLOAT32, 1, Direction.INOUT, (N,), Domain(-1.0, 1.0)),
    "total": Argument("total", FLOAT32, 1, Direction.INOUT, (1,), Domain(0.0, 0.0)),
}


def program(arguments: str, *body: Stmt) -> Program:
    chosen = tuple(ARGUMENTS[name] for name in arguments.split())
    return Program("k", "test", "", chosen, (N,), (Thread(("i",)), *body))


def tried(arguments: str, *body: Stmt) -> None:
    with np.errstate(all="ignore"):
        rehearse(program(arguments, *body))


def loop(*body: Stmt) -> For:
    return For("j", None, whole(4), None, body)


GOOD = {
    "straight": ("x y out", Assign(T, do("mul", X, Y)), Assign(OUT, T)),
    "branch": ("x y out", Assign(T, X), If(do("lt", X, number(0.0)), (Assign(T, Y, "add"),)), Assign(OUT, T)),
    "early return": ("x y out", If(do("lt", X, number(0.0)), (Assign(OUT, Y), Return(None))), Assign(OUT, X)),
    "loop": ("row out", Assign(ACC, ZERO), loop(Assign(ACC, ROW, "add")), Assign(OUT, ACC)),
    "break": (
        "row out",
        Assign(ACC, ZERO),
        loop(Assign(ACC, ROW, "add"), If(do("gt", ACC, number(0.8)), (Jump("break"),))),
        Assign(OUT, ACC),
    ),
    "while": (
        "x out",
        Assign(ACC, X),
        While(do("lt", ACC, number(3.0)), (Assign(ACC, number(0.5), "add"),)),
        Assign(OUT, ACC),
    ),
    "in place": ("x io", Assign(element("io"), do("mul", element("io"), X))),
    "atomic": ("x total", Atomic("max", element("total", whole(0)), X)),
    "a search": (
        "mesh x y out",
        Assign(real("way"), do("mul", X, number(2.0))),
        Assign(HIT, ask("mesh_query_ray", "s", MESH, real("way"))),
        Assign(T, Y),
        If(FOUND, (Assign(T, ALONG),)),
        Assign(OUT, T),
    ),
    "a search of several": (
        "mesh x row out",
        Assign(HIT, ask("mesh_query_sphere", "s", MESH, X)),
        Assign(ACC, ZERO),
        While(NEXT, (Assign(ACC, ROW, "add"),)),
        Assign(OUT, ACC),
    ),
    "a draw": (
        "x seed out",
        Assign(STATE, random("rand_init", "i", SEED, TID)),
        Assign(T, random("randf", "f", STATE)),
        Assign(OUT, do("add", X, T)),
    ),
    "how many a search finds": (
        "mesh x out",
        Assign(ACC, ZERO),
        For("j", None, ask("mesh_query_sphere", "s", MESH, X), None, (Assign(ACC, number(1.0), "add"),)),
        Assign(OUT, ACC),
    ),
}

BAD = {
    "an overwritten input": ("x y out", Assign(T, X), Assign(T, Y), Assign(OUT, T)),
    "a sign that cannot change": ("x y out", Assign(OUT, do("mul", X, do("sign", Y)))),
    "what cancels": ("x y out", Assign(T, do("sub", X, Y)), Assign(OUT, do("add", T, Y))),
    "a loop that is never seen": ("row x out", Assign(ACC, ZERO), loop(Assign(ACC, ROW, "add")), Assign(OUT, X)),
    "a test that never holds": (
        "x y out",
        Assign(T, X),
        If(do("lt", Y, number(0.2)), (Assign(T, Y, "add"),)),
        Assign(OUT, do("mul", T, Y)),
    ),
    "a statement that changes nothing": (
        "x out",
        Assign(T, do("abs", X)),
        Assign(T, do("abs", T)),
        Assign(OUT, T),
    ),
    "an answer that is lost": (
        "mesh x y out",
        Assign(HIT, ask("mesh_query_ray", "s", MESH, X)),
        Assign(T, Y),
        If(FOUND, (Assign(T, do("mul", Y, do("sign", ALONG))),)),
        Assign(OUT, T),
    ),
    "what is read where something was found, and lost": (
        "mesh x y out",
        Assign(HIT, ask("mesh_query_ray", "s", MESH, X)),
        Assign(T, number(0.0)),
        If(FOUND, (Assign(T, do("mul", Y, ALONG)),)),
        Assign(OUT, do("add", X, do("min", T, number(0.0)))),
    ),
    "a loop over what a search finds that is never seen": (
        "mesh x row out",
        Assign(HIT, ask("mesh_query_sphere", "s", MESH, X)),
        Assign(ACC, ZERO),
        While(NEXT, (Assign(ACC, ROW, "add"),)),
        Assign(OUT, X),
    ),
    "a draw that is lost": (
        "x seed out",
        Assign(STATE, random("rand_init", "i", SEED, TID)),
        Assign(T, random("randf", "f", STATE)),
        Assign(OUT, do("add", X, do("min", T, number(0.0)))),
    ),
    "no output": ("x out", Assign(T, X)),
    "one value": ("x out", Assign(T, X), Assign(OUT, number(2.0))),
    "a copy in place": ("io", Assign(T, element("io")), Assign(element("io"), T)),
    "a root of a negative": ("x out", Assign(OUT, do("sqrt", X))),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_matters_passes(name: str) -> None:
    tried(*GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_matter_is_refused(name: str) -> None:
    with pytest.raises(Discard):
        tried(*BAD[name])
