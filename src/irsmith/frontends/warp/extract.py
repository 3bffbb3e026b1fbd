"""Write a text that stands alone for a kernel that lives in this process, whatever file or closure it came from.

Starting from the kernel, everything that its body names is looked up as Warp looks it up: in the closure, the
module, Warp, and Python's builtins. Helpers, structs, types and constants come along under names of their own.
The functions' own lines stay as their author wrote them; only names that mean something else here are replaced.
"""

from __future__ import annotations

import ast
import builtins
import enum
import math
import sys
import types
import typing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from irsmith.frontends.warp import live


class CannotStandAloneError(Exception):
    """A kernel refers to something that no text can give; the message names it."""


def source_of(kernel: Any) -> str:
    """A module's text that declares a kernel, or one instance of a generic kernel, and all that it needs.

    Args:
        kernel: The Warp kernel.

    Raises:
        CannotStandAloneError: It refers to something that cannot be written down.
    """
    writer = _Writer()
    code = live.code_of(live.original_of(kernel))
    name = writer.take(code.name, kernel, set())
    definition = writer.function(code, name, _call("wp.kernel", live.kernel_options(kernel)))
    options = live.module_options(kernel)
    if options:
        writer.definitions.append(f"wp.set_module_options({options!r})")
    writer.definitions.append(definition)
    if live.original_of(kernel) is not kernel:
        spelled = ", ".join(writer.spelled(type_) for type_ in live.argument_types(kernel))
        writer.definitions.append(f"wp.overload({name}, [{spelled}])")
    return writer.text()


def _call(decorator: str, options: dict[str, Any]) -> str:
    if not options:
        return decorator
    return f"{decorator}({', '.join(f'{key}={value!r}' for key, value in options.items())})"


@dataclass(slots=True)
class _Holder:
    """A class, module or object of which a text names constants as attributes."""

    name: str
    kind: str
    members: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        base = f"({self.kind})" if self.kind else ""
        return "\n".join(
            [f"class {self.name}{base}:", *(f"    {key} = {value}" for key, value in self.members.items())]
        )


class _Writer:
    """What is written so far, and under which names."""

    def __init__(self) -> None:
        self.definitions: list[str | _Holder] = []
        self.imports: dict[str, None] = {"import warp as wp": None}
        self._names: dict[str, object] = {"wp": object(), "np": object()}
        self._objects: dict[int, tuple[Any, str]] = {}
        self._holders: dict[int, tuple[Any, _Holder]] = {}
        self._open: set[int] = set()

    def text(self) -> str:
        """The module."""
        pieces = ["\n".join(sorted(self.imports, key=lambda line: (line.startswith("import warp"), line)))]
        previous = ""
        for definition in self.definitions:
            text = definition if isinstance(definition, str) else definition.text()
            block = "\n" in text
            pieces.append("\n\n\n" if block or "\n" in previous else "\n" if previous else "\n\n")
            pieces.append(text)
            previous = text
        return "".join(pieces) + "\n"

    def take(self, wanted: str, thing: object, avoid: set[str]) -> str:
        """A name for a thing: the wanted one unless something else has it."""
        name, number = wanted, 2
        while name in avoid or name in _RESERVED or self._names.get(name, thing) != thing:
            name, number = f"{wanted}_{number}", number + 1
        self._names[name] = thing
        return name

    # Functions

    def function(self, code: live.Code, name: str, decorator: str) -> str:
        """A function's own lines under a name, with every other name that it uses made to mean the same here."""
        edits = _Edits(self, code)
        body = edits.rewritten(name)
        return f"@{decorator}\n{body}"

    def helper(self, function: Any, avoid: set[str]) -> str:
        """The name under which a `@wp.func` is declared here."""
        known = self._objects.get(id(function))
        if known is not None:
            return self._usable(known[1], avoid)
        members = live.members_of(function)
        if any(id(member) in self._open for member in members):
            raise CannotStandAloneError(f"{function.key} calls itself")
        self._open |= {id(member) for member in members}
        first = live.code_of(members[0])
        name = self.take(first.name, function, avoid)
        for member in (function, *members):
            self._objects[id(member)] = (member, name)
        written: list[str | _Holder] = []
        for member in members:
            decorator = "wp.func"
            snippets = live.snippets_of(member)
            if snippets:
                decorator = f"wp.func_native({', '.join(self._snippet(name, *item) for item in snippets.items())})"
            elif hint := live.inline_of(member):
                decorator = f"wp.func(inline={hint == 'forceinline'})"
            written.append(self.function(live.code_of(member), name, decorator))
            for suffix, decorated in (("grad", live.gradient_of(member)), ("replay", live.replay_of(member))):
                if decorated is not None:
                    code = live.code_of(decorated)
                    own = self.take(code.name if code.name != name else f"{name}_{suffix}", decorated, avoid)
                    written.append(self.function(code, own, f"wp.func_{suffix}({name})"))
        self.definitions += written
        self._open -= {id(member) for member in members}
        return name

    def _snippet(self, function: str, kind: str, text: str) -> str:
        name = self.take(f"{function}_{kind}", text, set())
        quoted = '"""' + text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '"""'
        self.definitions.append(f"{name} = {quoted}")
        return f"{kind}={name}"

    def _usable(self, name: str, avoid: set[str]) -> str:
        if name in avoid:
            raise CannotStandAloneError(f"{name} is also the name of a variable")
        return name

    # Types and constants

    def struct(self, struct: Any, avoid: set[str]) -> str:
        """The name under which a struct is declared here."""
        known = self._objects.get(id(struct))
        if known is not None:
            return self._usable(known[1], avoid)
        name = self.take(live.struct_name(struct), struct, avoid)
        self._objects[id(struct)] = (struct, name)
        fields = [f"    {key}: {self.spelled(type_)}" for key, type_ in live.fields_of(struct)]
        self.definitions.append("\n".join(["@wp.struct", f"class {name}:", *(fields or ["    pass"])]))
        return name

    def spelled(self, type_: Any) -> str:
        """A type as an annotation."""
        if live.is_struct(type_):
            return self.struct(type_, set())
        text = live.spelled_type(type_, self.spelled)
        if text is None:
            raise CannotStandAloneError(f"a value of type {getattr(type_, '__name__', type(type_).__name__)}")
        if text == "Any":
            self.imports["from typing import Any"] = None
        return text

    def constant(self, value: Any) -> str:
        """An expression for a value.

        Raises:
            CannotStandAloneError: There is none.
        """
        if value is None or isinstance(value, bool | str):
            return repr(value)
        if isinstance(value, enum.Enum):
            return self.constant(value.value)
        if isinstance(value, int):
            return repr(int(value))
        if isinstance(value, float) and type(value) is float:
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        if isinstance(value, np.generic):
            self.imports["import numpy as np"] = None
            return f"np.{value.dtype.name}({self.constant(value.item())})"
        if isinstance(value, tuple | list):
            inside = ", ".join(self.constant(item) for item in value)
            if isinstance(value, list):
                return f"[{inside}]"
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        if live.is_function(value) and not live.is_builtin(value):
            return self.helper(value, set())
        if live.is_struct(value) or live.spelled_type(value, lambda _: "") is not None:
            return self.spelled(value)
        scalar = live.scalar_value(value)
        if scalar is not None:
            return f"{self.spelled(type(value))}({self.constant(scalar)})"
        components = live.components_of(value)
        if components is not None:
            inside = ", ".join(self.constant(item) for item in components)
            return f"{self.spelled(type(value))}({inside})"
        raise CannotStandAloneError(f"a value of type {type(value).__name__}")

    def named(self, wanted: str, value: Any, avoid: set[str]) -> str:
        """The name of a constant or a type."""
        text = self.constant(value)
        if text.startswith("wp.") and text[3:].isidentifier():
            return text
        if text.isidentifier() and text in self._names:
            return text
        before = len(self._names)
        name = self.take(wanted, ("constant", text), avoid)
        if len(self._names) > before:
            self.definitions.append(f"{name} = {text}")
        return name

    def member(self, holder: Any, wanted: str, attribute: str, value: Any, avoid: set[str]) -> str:
        """A constant that a text names as an attribute of a class, a module or an object."""
        text = self.constant(value)
        entry = self._holders.get(id(holder))
        if entry is None:
            kind = ""
            if isinstance(holder, enum.EnumMeta):
                base = next((b for b in (enum.IntFlag, enum.IntEnum) if issubclass(holder, b)), enum.Enum)
                kind = base.__name__
                self.imports[f"from enum import {kind}"] = None
            name = self.take(wanted, ("holder", id(holder)), avoid)
            entry = self._holders[id(holder)] = (holder, _Holder(name, kind))
            self.definitions.append(entry[1])
        entry[1].members[attribute] = text
        return f"{self._usable(entry[1].name, avoid)}.{attribute}"

    def module(self, name: str, alias: str) -> None:
        """Import a module that Python or Warp ships."""
        line = f"import {name}" if name == alias else f"import {name} as {alias}"
        if self._names.setdefault(alias, ("module", name)) != ("module", name):
            raise CannotStandAloneError(f"{alias} is {name} and something else")
        self.imports[line] = None


_RESERVED = {"Any", "IntEnum", "IntFlag", "Enum"}


class _Edits:
    """The changes to one function's lines."""

    def __init__(self, writer: _Writer, code: live.Code) -> None:
        self._writer = writer
        self._code = code
        self._tree = ast.parse(code.source)
        definition = self._tree.body[0]
        assert isinstance(definition, ast.FunctionDef)
        self._definition = definition
        self._locals = {a.arg for a in ast.walk(definition.args) if isinstance(a, ast.arg)}
        self._locals |= {
            node.id for node in ast.walk(definition) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self._changes: list[tuple[int, int, str]] = []
        self._starts = [0]
        for line in code.source.encode().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def rewritten(self, name: str) -> str:
        """The function from its ``def`` on, under a name."""
        definition = self._definition
        self._signature()
        for statement in definition.body:
            self._visit(statement)
        text = self._code.source.encode()
        begin = self._starts[definition.lineno - 1] + definition.col_offset
        end = self._end(definition)
        keyword = text.index(b"def", begin)
        old = text.index(definition.name.encode(), keyword + 3)
        self._changes.append((old, old + len(definition.name.encode()), name))
        pieces: list[bytes] = []
        at = begin
        for low, high, new in sorted(self._changes):
            pieces += [text[at:low], new.encode()]
            at = high
        pieces.append(text[at:end])
        return b"".join(pieces).decode().rstrip()

    def _begin(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def _replace(self, node: ast.expr, text: str) -> None:
        self._changes.append((self._begin(node), self._end(node), text))

    # Signatures

    def _signature(self) -> None:
        arguments = self._definition.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation is not None:
                self._annotation(argument.annotation, self._code.types.get(argument.arg))
        if self._definition.returns is not None:
            self._annotation(self._definition.returns, self._code.types.get("return"))
        for default in (*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)):
            self._visit(default)

    def _annotation(self, node: ast.expr, type_: Any) -> None:
        saved = len(self._changes)
        try:
            if not self._code.means(ast.unparse(node), type_):
                raise CannotStandAloneError("an annotation whose names are gone")
            self._visit(node)
        except CannotStandAloneError:
            if type_ is None:
                raise
            del self._changes[saved:]
            self._replace(node, self._writer.spelled(type_))

    # Bodies

    def _visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call) and self._static(node):
            return
        if isinstance(node, ast.Name | ast.Attribute) and self._path(node):
            return
        if isinstance(node, ast.AnnAssign):
            # Warp does not look at the annotation.
            self._changes.append((self._end(node.target), self._end(node.annotation), ""))
            self._visit(node.target)
            if node.value is not None:
                self._visit(node.value)
            return
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.AugAssign):
            self._operator(node.op)
        for child in ast.iter_child_nodes(node):
            self._visit(child)

    def _operator(self, node: ast.operator | ast.unaryop) -> None:
        """Bring along the helper of an operator's name that stands for it, if the function's module has one."""
        name = live.operator_name(node)
        function = self._code.look_up(name) if name is not None and self._code.has(name) else None
        if function is None or not live.is_function(function) or live.is_builtin(function):
            return
        if self._writer.helper(function, self._locals) != name:
            raise CannotStandAloneError(f"{name}, which stands for an operator, and something else of that name")

    def _static(self, node: ast.Call) -> bool:
        """Keep a `wp.static` whose names all have a meaning here, and otherwise put its value there."""
        if self._object(node.func) is not live.static():
            return False
        inside = node.args[0] if node.args else node.keywords[0].value
        if self._of_parameters(inside):
            # What one call of the function made of it is no other's.
            if ast.unparse(node.func) != "wp.static":
                self._replace(node.func, "wp.static")
            return True
        saved = len(self._changes)
        try:
            if any(isinstance(part, ast.Call | ast.comprehension | ast.Lambda) for part in ast.walk(inside)):
                raise CannotStandAloneError(ast.unparse(inside))
            self._visit(inside)
        except CannotStandAloneError:
            del self._changes[saved:]
            known, value = self._code.static_value(ast.get_source_segment(self._code.source, inside) or "")
            if not known and self._of_arguments(inside):
                return True
            if not known:
                raise
            if live.is_function(value):
                text = f"wp.{value.key}" if live.is_builtin(value) else self._writer.helper(value, self._locals)
                self._replace(node, text)
                return True
            self._replace(inside, self._writer.constant(value))
        if ast.unparse(node.func) != "wp.static":
            self._replace(node.func, "wp.static")
        return True

    def _of_arguments(self, inside: ast.expr) -> bool:
        """Whether an expression is of the function's arguments and Python's own functions: known when it is called."""
        names = {part.id for part in ast.walk(inside) if isinstance(part, ast.Name)}
        return all(n in self._locals or (hasattr(builtins, n) and not self._code.has(n)) for n in names)

    def _of_parameters(self, inside: ast.expr) -> bool:
        """Whether an expression is of parameters, and of nothing that had a meaning before the function was called."""
        parameters = {a.arg for a in ast.walk(self._definition.args) if isinstance(a, ast.arg)}
        names = {part.id for part in ast.walk(inside) if isinstance(part, ast.Name)}
        return bool(names & parameters) and self._of_arguments(inside)

    def _object(self, node: ast.expr) -> Any:
        """What a path of names stands for, or None."""
        if isinstance(node, ast.Attribute):
            return getattr(self._object(node.value), node.attr, None)
        if isinstance(node, ast.Name) and node.id not in self._locals:
            return self._code.look_up(node.id)
        return None

    def _path(self, node: ast.Name | ast.Attribute) -> bool:
        """Give a path of names its meaning here; False if it begins at a value."""
        chain: list[ast.Name | ast.Attribute] = [node]
        while isinstance(chain[-1], ast.Attribute):
            inner = chain[-1].value
            if not isinstance(inner, ast.Name | ast.Attribute):
                return False
            chain.append(inner)
        root = chain[-1]
        assert isinstance(root, ast.Name)
        if root.id in self._locals or not isinstance(root.ctx, ast.Load):
            return True
        chain.reverse()
        value = self._code.look_up(root.id)
        if value is None and not self._code.has(root.id):
            if hasattr(builtins, root.id):
                return True
            if live.public(root.id):
                self._replace(root, f"wp.{root.id}")
                return True
            raise CannotStandAloneError(f"the name {root.id}")
        holder: tuple[Any, str] | None = None
        for part in chain:
            wanted = part.id if isinstance(part, ast.Name) else part.attr
            if part is not root:
                if not hasattr(value, wanted):
                    return self._missing(chain, part, value)
                value = getattr(value, wanted)
            if live.is_function(value) and part is not node:
                # An attribute that somebody hung on a function.
                holder = (value, wanted)
                continue
            found = self._meaning(part, wanted, value, holder, node)
            if found is not None:
                if ast.unparse(part) != found:
                    self._replace(part, found)
                return True
            holder = (value, wanted)
        raise CannotStandAloneError(f"{ast.unparse(node)}, which is {type(value).__name__}")

    def _missing(self, chain: list[ast.Name | ast.Attribute], part: ast.expr, value: Any) -> bool:
        # Some builtins are no attributes of the module.
        if live.is_warp(value):
            self._replace(part.value, "wp")  # type: ignore[attr-defined]
            return True
        raise CannotStandAloneError(ast.unparse(chain[-1]))

    def _meaning(
        self, part: ast.expr, wanted: str, value: Any, holder: tuple[Any, str] | None, whole: ast.expr
    ) -> str | None:
        writer = self._writer
        if live.is_function(value):
            return f"wp.{value.key}" if live.is_builtin(value) else writer.helper(value, self._locals)
        if live.is_struct(value):
            return writer.struct(value, self._locals)
        if isinstance(value, types.ModuleType):
            if part is whole:
                raise CannotStandAloneError(f"the module {value.__name__}")
            return None
        public = live.public_name(value, wanted)
        if public is not None:
            return f"wp.{public}"
        if getattr(value, "__module__", "") == "typing" and getattr(typing, wanted, None) is value:
            writer.imports[f"from typing import {wanted}"] = None
            return wanted
        owner = holder[0] if holder is not None else None
        if owner is not None and live.is_warp(owner):
            return f"wp.{wanted}"
        if isinstance(owner, types.ModuleType) and owner.__name__.startswith("warp.") and "._" not in owner.__name__:
            # Warp does not import all of its own packages.
            writer.imports[f"import {owner.__name__}"] = None
            return f"wp.{owner.__name__.removeprefix('warp.')}.{wanted}"
        if isinstance(owner, types.ModuleType) and owner.__name__.partition(".")[0] in sys.stdlib_module_names:
            writer.module(owner.__name__, holder[1])  # type: ignore[index]
            return ast.unparse(part)
        if isinstance(value, types.FunctionType) and live.is_warp_function(value):
            return f"wp.{wanted}"
        try:
            if holder is None:
                return writer.named(wanted, value, self._locals)
            return writer.member(holder[0], holder[1], wanted, value, self._locals)
        except CannotStandAloneError as error:
            if part is whole or isinstance(value, types.FunctionType):
                raise CannotStandAloneError(f"{ast.unparse(whole)}: {error}") from error
            return None
