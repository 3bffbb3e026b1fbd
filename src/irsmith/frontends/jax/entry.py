"""Write a text that stands alone for a function that a running program jits, of arrays alone.

A row's function takes arrays, one after the other. A program's function may take trees of them and settings beside
them: then a further function takes the leaves, puts the trees together, and calls the program's own.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from irsmith.frontends.jax.agreement import differing, names_of
from irsmith.frontends.jax.standalone import standalone
from irsmith.frontends.jax.trusted import objection
from irsmith.kernel import REAL, Argument, Direction, Kernel, Provenance, Signature
from irsmith.types import SCALARS

_SUFFIX = "_of_arrays"
_LITERALS = (bool, int, float, str, bytes, type(None))


class CannotStandAloneError(Exception):
    """A function refers to something that no text can give; the message names it."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An array among what a function is given."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    value: Any

    @property
    def bytes(self) -> int:
        """What its contents take."""
        return int(getattr(self.value, "nbytes", 8))


@dataclass(frozen=True, slots=True)
class Given:
    """What a function is given.

    Attributes:
        leaves: The arrays, in order.
        call: The arguments as text, of the leaves' names.
        direct: Whether the leaves are the function's own first parameters, in order.
        refused: Why a part of it cannot be written down; None if all of it can.
    """

    leaves: tuple[Leaf, ...]
    call: str
    direct: bool
    refused: str | None

    @property
    def arguments(self) -> list[Argument]:
        """The leaves as arguments."""
        return [
            Argument(leaf.name, SCALARS[leaf.dtype], len(leaf.shape), Direction.IN, leaf.shape) for leaf in self.leaves
        ]

    def key(self) -> tuple[Any, ...]:
        """What tells it from other types of arguments."""
        return self.call, tuple((leaf.dtype, leaf.shape) for leaf in self.leaves), self.refused


def static_names(fun: Any, numbers: Any, names: Any) -> frozenset[str]:
    """The parameters that `jax.jit` is told are no arrays."""
    try:
        parameters = list(inspect.signature(fun).parameters)
    except (TypeError, ValueError):
        return frozenset()
    places = (numbers,) if isinstance(numbers, int) else numbers or ()
    named = (names,) if isinstance(names, str) else names or ()
    in_range = (place for place in places if -len(parameters) <= place < len(parameters))
    return frozenset(named).union(parameters[place] for place in in_range)


def bound(fun: Any, static: frozenset[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Given:
    """What a function is given by a call, traced or not."""
    signature = inspect.signature(fun)
    leaves: list[Leaf] = []
    texts: list[str] = []
    refused: list[str] = []
    plain = True
    spelling = _Spelling(_globals(fun), leaves)
    for name, value in signature.bind(*args, **kwargs).arguments.items():
        kind = signature.parameters[name].kind
        try:
            if kind is inspect.Parameter.VAR_POSITIONAL:
                texts += [spelling.tree(f"{name}_{place}", item) for place, item in enumerate(value)]
                plain = False
            elif kind is inspect.Parameter.VAR_KEYWORD:
                texts += [f"{key}={spelling.tree(key, item)}" for key, item in value.items()]
                plain = False
            else:
                text = spelling.literal(value) if name in static else spelling.tree(name, value)
                plain = plain and text == name and kind is not inspect.Parameter.KEYWORD_ONLY
                keyword = kind is inspect.Parameter.KEYWORD_ONLY or any("=" in earlier for earlier in texts)
                texts.append(f"{name}={text}" if keyword else text)
        except CannotStandAloneError as error:
            refused.append(f"{name} holds {error}")
    in_order = [leaf.name for leaf in leaves] == list(signature.parameters)[: len(leaves)]
    reason = refused[0] if refused else None if leaves else "it takes no arrays"
    return Given(tuple(leaves), ", ".join(texts), plain and in_order, reason)


class _Spelling:
    """Writes trees of arrays as expressions of their leaves' names."""

    def __init__(self, names: Mapping[str, Any], leaves: list[Leaf]) -> None:
        self._names = names
        self._leaves = leaves

    def tree(self, name: str, value: Any) -> str:
        """A tree as an expression; its leaves are named by where they stand."""
        if value is None:
            return "None"
        if isinstance(value, dict) and type(value) is dict:
            if not all(isinstance(key, str | int) for key in value):
                raise CannotStandAloneError("a dictionary whose keys are no names")
            # In JAX's order, in which a traced dictionary comes.
            items = (f"{key!r}: {self.tree(f'{name}_{key}', item)}" for key, item in sorted(value.items()))
            return "{" + ", ".join(items) + "}"
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            kind = type(value).__name__
            if self._names.get(kind) is not type(value):
                raise CannotStandAloneError(f"a {kind}, which is no name of its module")
            return f"{kind}({', '.join(self.tree(f'{name}_{f}', getattr(value, f)) for f in value._fields)})"
        if type(value) in (tuple, list):
            items = [self.tree(f"{name}_{place}", item) for place, item in enumerate(value)]  # type: ignore[assignment]
            inside = ", ".join(items)
            if isinstance(value, list):
                return f"[{inside}]"
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        return self._leaf(name, value)

    def literal(self, value: Any) -> str:
        """What is no array as an expression."""
        if isinstance(value, tuple):
            return f"({''.join(f'{self.literal(item)}, ' for item in value)})"
        if type(value) in _LITERALS:
            return repr(value)
        name = getattr(value, "__name__", "")
        if self._names.get(name) is value:
            return str(name)
        raise CannotStandAloneError(f"a {type(value).__name__}")

    def _leaf(self, name: str, value: Any) -> str:
        import jax

        try:
            type_ = jax.typeof(value)
            dtype, shape = str(type_.dtype), tuple(type_.shape)
        except (TypeError, AttributeError):
            raise CannotStandAloneError(f"a {type(value).__name__}") from None
        if dtype not in SCALARS:
            raise CannotStandAloneError(f"an array of {dtype}")
        wanted = "".join(c if c.isalnum() else "_" for c in name)
        # What begins so is one of the function's results.
        wanted = f"given_{wanted}" if wanted.startswith("result") or not wanted.isidentifier() else wanted
        while any(leaf.name == wanted for leaf in self._leaves):
            wanted += "_"
        self._leaves.append(Leaf(wanted, dtype, shape, value))
        return wanted


def kernel_of(fun: Any, given: Given, results: Sequence[tuple[str, tuple[int, ...]]]) -> Kernel:
    """A function as a kernel.

    Args:
        fun: What the program jits.
        given: What it is given.
        results: The dtype and the shape of each leaf of what it returns.

    Raises:
        CannotStandAloneError: No text can say what it does.
    """
    if given.refused is not None:
        raise CannotStandAloneError(given.refused)
    returned = returned_as(results)
    source, name, definition = _source(fun)
    if not given.direct:
        definition_of_arrays, name = of_arrays(name, given)
        source += definition_of_arrays
    text = standalone(source, name)
    assert text is not None
    refused = objection(text)
    if refused is not None:
        raise CannotStandAloneError(refused)
    _agree(fun, text)
    docstring = (inspect.getdoc(fun) or "").strip()
    return Kernel(
        name=name,
        category=REAL,
        description=docstring.partition("\n\n")[0].replace("\n", " "),
        source=text,
        signature=Signature((*given.arguments, *returned), None),
        provenance=Provenance(file_of(fun), line=definition, docstring=docstring or None),
    )


def _agree(fun: Any, text: str) -> None:
    """See that a text gives a function what it has in the program."""
    try:
        name = differing(text, names_of(fun))
    except Exception as error:  # noqa: BLE001  (the text is a stranger's code)
        raise CannotStandAloneError(f"its text raises {type(error).__name__}: {error}") from None
    if name is not None:
        raise CannotStandAloneError(f"{name_of(fun)} reads {name}, which the program has changed")


def of_arrays(name: str, given: Given) -> tuple[str, str]:
    """The text of a function that takes the leaves of what another one is given, and its name."""
    entry = f"{name}{_SUFFIX}"
    parameters = ", ".join(leaf.name for leaf in given.leaves)
    return f"\n\ndef {entry}({parameters}):\n    return {name}({given.call})\n", entry


def returned_as(results: Sequence[tuple[str, tuple[int, ...]]]) -> list[Argument]:
    """What a function returns, as arguments that only carry data out.

    Args:
        results: The dtype and the shape of each leaf.

    Raises:
        CannotStandAloneError: There are none, or one has a dtype that no row has.
    """
    unknown = [dtype for dtype, _ in results if dtype not in SCALARS]
    if unknown or not results:
        raise CannotStandAloneError(f"it returns {f'an array of {unknown[0]}' if unknown else 'nothing'}")
    return [
        Argument(label, SCALARS[dtype], len(shape), Direction.OUT, shape)
        for label, (dtype, shape) in zip(results_named(len(results)), results, strict=True)
    ]


def results_named(count: int) -> list[str]:
    """What a signature calls the leaves of what a function returns."""
    return ["result"] if count == 1 else [f"result[{place}]" for place in range(count)]


def constants_of(fun: Any) -> tuple[str, ...]:
    """The plain values that a function closes over: of one definition, what tells one function from another."""
    cells = [cell.cell_contents for cell in getattr(fun, "__closure__", None) or ()]
    return tuple(repr(value) for value in cells if type(value) in _LITERALS)


def name_of(fun: Any) -> str:
    """What a function is called."""
    return str(getattr(inspect.unwrap(fun), "__name__", type(fun).__name__))


def file_of(fun: Any) -> str:
    """The file that a function stands in."""
    code = getattr(inspect.unwrap(getattr(fun, "func", fun)), "__code__", None)
    return code.co_filename if code is not None else "<unknown>"


def _globals(fun: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(inspect.unwrap(fun), "__globals__", {})
    return found


def _source(fun: Any) -> tuple[str, str, int]:
    """A module's text in which a function stands at the top, its name there, and the line that it began on."""
    function = inspect.unwrap(fun)
    if isinstance(fun, partial | types.MethodType) or not isinstance(function, types.FunctionType):
        raise CannotStandAloneError(f"it is a {type(fun).__name__}, not a function")
    try:
        text = Path(function.__code__.co_filename).read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError):
        raise CannotStandAloneError("its source is in no file") from None
    name = function.__name__
    line = function.__code__.co_firstlineno
    if function.__qualname__ == name and function.__globals__.get(name) is not None:
        return text, name, line
    taken = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return f"{text}\n\n{_lifted(function, text, tree, taken)}", name, line


def _lifted(function: Callable[..., Any], text: str, tree: ast.Module, taken: set[str]) -> str:
    """A function that stands in another one as one that stands at the top, behind what it closes over."""
    name, code = function.__name__, function.__code__
    node = next(_definitions(tree, name, code.co_firstlineno), None)
    if node is None:
        raise CannotStandAloneError("it is a lambda" if name == "<lambda>" else "its definition is not in its file")
    if name in taken:
        raise CannotStandAloneError(f"{name} is also the name of something else")
    taken.add(name)
    pieces = []
    for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        value = cell.cell_contents
        if inspect.isfunction(value) and value.__name__ == variable and value.__qualname__ != variable:
            if variable not in taken:
                pieces.append(_lifted(value, text, tree, taken))
        elif variable in taken:
            raise CannotStandAloneError(f"{variable} is also the name of something else")
        elif type(value) in _LITERALS:
            pieces.append(f"{variable} = {value!r}\n")
        else:
            raise CannotStandAloneError(f"it closes over {variable}, a {type(value).__name__}")
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    lines = text.splitlines()[first - 1 : node.end_lineno]
    return "\n\n".join([*pieces, textwrap.dedent("\n".join(lines)) + "\n"])


def _definitions(tree: ast.Module, name: str, line: int) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first == line:
                yield node
