"""A jaxpr's text as a function again: its equations, bound to JAX's primitives one by one.

What a text leaves out it leaves out because JAX's printer does where nothing is said by it; shapes stand in the types
of what an equation gives. Nothing of a text is executed as Python: its values are literals, and names from a list.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.runner.optimised import NotTakenError

_DTYPES = {
    "f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16", "bool": "bool", "i64": "int64",
    "i32": "int32", "i16": "int16", "i8": "int8", "u64": "uint64", "u32": "uint32", "u16": "uint16", "u8": "uint8",
    "c64": "complex64", "c128": "complex128",
}  # fmt: skip
_BOUND = re.compile(r"([A-Za-z_]\w*):(\w+)\[([\d,]*)\]")
_LITERAL = re.compile(r"(.+):(\w+)\[([\d,]*)\]")
_NAMES = r"(?:(?!inf:|nan:|True:|False:)[A-Za-z_]\w*:\S+\s+)+"
_EQUATION = re.compile(rf"\s*({_NAMES})= ([A-Za-z_][\w-]*)")
_BEHIND = re.compile(rf"(?=\s+{_NAMES}= )|(?=\s+in \()")
_OPENS, _CLOSES = "([{", ")]}"


class WrongTypeError(Exception):
    """A value is of another type than the text declares."""


@dataclass(frozen=True)
class Jaxpr:
    """A function: its parameters, its equations, and what it gives.

    Attributes:
        parameters: Names.
        types: Of each parameter, its dtype and shape.
        equations: In order.
        results: Names and literals.
    """

    parameters: tuple[str, ...]
    types: tuple[tuple[str, tuple[int, ...]], ...]
    equations: tuple[Equation, ...]
    results: tuple[str, ...]


@dataclass(frozen=True)
class Equation:
    """One application of a primitive."""

    names: tuple[str, ...]
    types: tuple[tuple[str, tuple[int, ...]], ...]
    primitive: str
    parameters: Mapping[str, Any]
    operands: tuple[str, ...]


def parameters(text: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The dtypes and shapes of what a text's function takes.

    Raises:
        NotTakenError: They are not all arrays, or the text is no jaxpr.
    """
    head = re.match(r"\{ lambda [^;]*;([^.]*)\. let\b", _named(text)[1])
    return tuple(_type(kind, shape) for _, kind, shape in _BOUND.findall(head[1] if head else ""))


def read(text: str) -> Jaxpr:
    """The function that a text is.

    Raises:
        NotTakenError: It says something that is not known here.
    """
    texts, rest = _named(text)
    return _jaxpr(rest, _Known(texts))


def _named(text: str) -> tuple[dict[str, str], str]:
    """The jaxprs that a text gives names before it begins, by those names, and the rest of it."""
    texts: dict[str, str] = {}
    rest = text.strip()
    while rest.startswith("let "):
        name, _, rest = rest[4:].partition(" = ")
        end = _closing(rest, 0) + 1
        texts[name] = rest[:end]
        rest = rest[end:].strip().removeprefix("in").strip()
    return texts, rest


class _Known:
    """The jaxprs that a text has names for, which may stand in front of those that they use."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._read: dict[str, Jaxpr] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def __getitem__(self, name: str) -> Jaxpr:
        if name not in self._read:
            self._read[name] = _jaxpr(self._texts[name], self)
        return self._read[name]


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at a place is closed."""
    depth = 0
    for place in range(start, len(text)):
        if text[place] in _OPENS:
            depth += 1
        elif text[place] in _CLOSES:
            depth -= 1
            if depth == 0:
                return place
    raise NotTakenError("a bracket that is not closed")


def _jaxpr(text: str, known: _Known) -> Jaxpr:
    opened = re.match(r"\{ lambda (?P<constants>[^;]*);(?P<parameters>[^.]*)\. let\b", text)
    if opened is None or opened["constants"].strip():
        raise NotTakenError(f"a jaxpr that begins with {text[:40]!r}")
    found = _BOUND.findall(opened["parameters"])
    if len(found) != len(opened["parameters"].split()):
        raise NotTakenError(f"parameters of other types: {opened['parameters'].strip()}")
    place, equations = opened.end(), []
    while (head := _EQUATION.match(text, place)) is not None:
        bound = _BOUND.findall(head[1])
        if len(bound) != len(head[1].split()):
            raise NotTakenError(f"values of other types: {head[1].strip()}")
        place, parameters = head.end(), {}
        if text[place : place + 1] == "[":
            end = _closing(text, place)
            parameters = _parameters(text[place + 1 : end], known)
            place = end + 1
        # Operands may go on in the next line: up to the next equation, or the end.
        following = _BEHIND.search(text, place)
        if following is None:
            raise NotTakenError("an equation without an end")
        end = following.start()
        types = tuple(_type(kind, shape) for _, kind, shape in bound)
        operands = tuple(text[place:end].split())
        equations.append(Equation(tuple(name for name, *_ in bound), types, head[2], parameters, operands))
        place = end
    results = re.fullmatch(r"\s*in \((.*?),?\) \}", text[place:], re.DOTALL)
    if results is None:
        raise NotTakenError(f"an equation that reads {text[place : place + 60].strip()!r}")
    return Jaxpr(
        tuple(name for name, *_ in found),
        tuple(_type(kind, shape) for _, kind, shape in found),
        tuple(equations),
        tuple(part.strip() for part in re.split(r",(?![^\[]*\])", results[1]) if part.strip()),
    )


def _type(kind: str, shape: str) -> tuple[str, tuple[int, ...]]:
    if kind not in _DTYPES:
        raise NotTakenError(f"the type {kind}")
    return _DTYPES[kind], tuple(int(size) for size in shape.split(",") if size)


def _parameters(text: str, known: _Known) -> dict[str, Any]:
    """``name=value`` pairs, which white space alone separates."""
    found: dict[str, Any] = {}
    place = 0
    while (head := re.compile(r"\s*([a-z_]\w*)=").match(text, place)) is not None:
        place = end = head.end()
        while end < len(text) and not re.match(r"\s+[a-z_]\w*=|\s*$", text[end:]):
            end = _closing(text, end) + 1 if text[end] in _OPENS else end + 1
        value = text[place:end].strip()
        # A function and the jaxpr of another one may have the same name.
        found[head[1]] = Unread(value) if head[1] in ("name", "jvp") else _value(value, known)
        place = end
    return found


def _value(text: str, known: _Known) -> Any:
    if text in known:
        return known[text]
    if text.startswith("{ lambda"):
        return _jaxpr(text, known)
    if text.startswith("(") and all(part in known or part.startswith("{ lambda") for part in _parts(text[1:-1])):
        return tuple(_value(part, known) for part in _parts(text[1:-1]))
    if text in _DTYPES.values():
        return numpy_dtype(text)
    try:
        return _literal(ast.parse(text, mode="eval").body)
    except SyntaxError:
        return Unread(text)


@dataclass(frozen=True)
class Unread:
    """A parameter whose text is no value that is known here."""

    text: str


def _parts(text: str) -> list[str]:
    """What white space separates."""
    parts, place = [], 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        start = place
        while place < len(text) and not text[place].isspace():
            place = _closing(text, place) + 1 if text[place] in _OPENS else place + 1
        parts.append(text[start:place])
    return parts


def _literal(node: ast.expr) -> Any:
    import jax

    match node:
        case ast.Constant():
            return node.value
        case ast.Tuple() | ast.List():
            return tuple(_literal(item) for item in node.elts)
        case ast.UnaryOp(ast.USub(), operand) if isinstance(number := _literal(operand), int | float | complex):
            return -number
        case ast.Name(name) if name in ("inf", "nan"):
            return float(name)
        case ast.Name(name) if name in _DTYPES.values():
            return numpy_dtype(name)
        case ast.Attribute(ast.Name("GatherScatterMode"), name):
            return jax.lax.GatherScatterMode[name]
        case ast.Attribute(ast.Name("Precision"), name):
            return jax.lax.Precision[name]
        case ast.Call(ast.Attribute(ast.Name("np"), name), [value]) if name in _DTYPES.values():
            return numpy_dtype(name).type(_literal(value))
        case ast.Call(ast.Name(name), [], keywords) if name in _NUMBERS:
            return getattr(jax.lax, name)(**{item.arg: _literal(item.value) for item in keywords if item.arg})
    return Unread(ast.unparse(node))


_NUMBERS = ("GatherDimensionNumbers", "ScatterDimensionNumbers", "ConvDimensionNumbers", "RaggedDotDimensionNumbers",
            "DotDimensionNumbers")  # fmt: skip


def function(jaxpr: Jaxpr) -> Callable[..., list[Any]]:
    """It as a function of arrays.

    Raises:
        NotTakenError: When called: it has an equation that is not known here.
        WrongTypeError: When called: an equation gives, or it or a part of it takes, what the text declares otherwise.
    """

    def run(*given: Any) -> list[Any]:
        _check("a jaxpr takes", given, jaxpr.types)
        values = dict(zip(jaxpr.parameters, given, strict=True))

        def value(name: str) -> Any:
            if name in values:
                return values[name]
            literal = _LITERAL.fullmatch(name)
            if literal is None:
                raise NotTakenError(f"the operand {name}")
            dtype, shape = _type(literal[2], literal[3])
            number = _literal(ast.parse(literal[1], mode="eval").body)
            return np.full(shape, number, numpy_dtype(dtype))

        for equation in jaxpr.equations:
            found = _apply(equation, [value(name) for name in equation.operands])
            # What is dropped has no name, and inside a call nothing says which of several it is.
            known = [
                place for place, name in enumerate(equation.names) if name != "_" or not _is_dropped_inside(equation)
            ]
            declared = [equation.types[place] for place in known]
            _check(f"{equation.primitive} gives", [found[place] for place in known], declared)
            values.update(zip(equation.names, found, strict=True))
        return [value(name) for name in jaxpr.results]

    return run


def _is_dropped_inside(equation: Equation) -> bool:
    return any(isinstance(inner, Jaxpr) and "_" in inner.results for inner in equation.parameters.values())


def _check(what: str, values: Sequence[Any], declared: Sequence[tuple[str, tuple[int, ...]]]) -> None:
    found = tuple((str(value.dtype), tuple(value.shape)) for value in values)
    if found != tuple(declared):
        raise WrongTypeError(f"{what} {_spelt(found)}, and the text says {_spelt(declared)}")


def _spelt(types: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    return " ".join(f"{dtype}[{','.join(map(str, shape))}]" for dtype, shape in types)


def _apply(equation: Equation, operands: Sequence[Any]) -> Sequence[Any]:
    name, given = equation.primitive, equation.parameters
    if name in _CALLS:
        inner = next((value for value in given.values() if isinstance(value, Jaxpr)), None)
        if inner is not None:
            return function(inner)(*operands)
    if name == "empty2":
        dtype, shape = equation.types[0]
        return [np.zeros(shape, numpy_dtype(dtype))]
    control = _CONTROL.get(name)
    if control is not None:
        return control(given, operands)
    parameters = {**_said_by_types(equation), **given}
    if any(isinstance(value, Unread | Jaxpr) for value in parameters.values()):
        raise NotTakenError(f"the parameters of {name}")
    return compiler.bound(name, operands, parameters)


_CALLS = ("jit", "custom_jvp_call", "custom_vjp_call", "closed_call", "checkpoint", "remat")


def _scan(given: Mapping[str, Any], operands: Sequence[Any]) -> Sequence[Any]:
    import jax

    constants, carried = given["num_consts"], given["num_carry"]
    body = function(given["jaxpr"])

    def step(carry: Any, x: Any) -> Any:
        found = body(*operands[:constants], *carry, *x)
        return tuple(found[:carried]), tuple(found[carried:])

    split = constants + carried
    carry, stacked = jax.lax.scan(
        step, tuple(operands[constants:split]), tuple(operands[split:]), given["length"], given["reverse"]
    )
    return [*carry, *stacked]


def _while(given: Mapping[str, Any], operands: Sequence[Any]) -> Sequence[Any]:
    import jax

    first, second = given["cond_nconsts"], given["cond_nconsts"] + given["body_nconsts"]
    test, body = function(given["cond_jaxpr"]), function(given["body_jaxpr"])
    return list(
        jax.lax.while_loop(
            lambda carry: test(*operands[:first], *carry)[0],
            lambda carry: tuple(body(*operands[first:second], *carry)),
            tuple(operands[second:]),
        )
    )


def _cond(given: Mapping[str, Any], operands: Sequence[Any]) -> Sequence[Any]:
    import jax

    branches = [function(branch) for branch in given["branches"]]
    which = jax.numpy.asarray(operands[0]).astype("int32")
    return list(jax.lax.switch(which, branches, *operands[1:]))


def _scatter(name: str) -> Callable[[Mapping[str, Any], Sequence[Any]], Sequence[Any]]:
    def scatter(given: Mapping[str, Any], operands: Sequence[Any]) -> Sequence[Any]:
        import jax

        # JAX makes what puts two elements together anew, whose types are those of one element.
        if isinstance(update := given.get("update_jaxpr"), Jaxpr):
            element = jax.ShapeDtypeStruct((), operands[0].dtype)
            jax.eval_shape(function(update), element, element)
        said = ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
        return [getattr(jax.lax, f"scatter_{name}")(*operands, **{key: given[key] for key in said})]

    return scatter


_CONTROL = {
    "scan": _scan,
    "while": _while,
    "cond": _cond,
    **{f"scatter-{name}": _scatter(name) for name in ("add", "sub", "mul", "min", "max")},
}


def _said_by_types(equation: Equation) -> dict[str, Any]:
    """Parameters that the printer leaves to the types of what an equation gives."""
    dtype, shape = equation.types[0]
    match equation.primitive:
        case "broadcast_in_dim":
            return {"shape": shape, "broadcast_dimensions": ()}
        case "reshape":
            return {"new_sizes": shape}
        case "random_bits" | "iota":
            return {"shape": shape}
        case "dot_general":
            return {"preferred_element_type": numpy_dtype(dtype)}
    return {}
