"""What a kernel's source is made of, whatever its names and numbers: identities, sizes and complexity.

One parse and one walk. The walk lists the syntax tree in this module's own words, because what ``ast.dump``
prints differs between Python versions. Names of the user's become numbers in order of appearance, literals their
type; what belongs to Python or to an imported module stays, and so do dtypes, ranks and control flow. What a name
stands for is decided as Python does: what a function assigns or takes is its own, whatever the module calls so. The
spellings of one annotation (``float`` or ``wp.float32``, ``array[float]`` or ``array(dtype=float)``) are one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

_ABBREVIATED = {"float": "float32", "int": "int32"}
_FLOATS = ("float16", "float32", "float64", "bfloat16")
_WHOLES = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_DTYPES = frozenset({"bool", *_FLOATS, *_WHOLES})
_BUILTINS = frozenset({
    "abs", "bool", "enumerate", "float", "int", "len", "max", "min", "pow", "print", "range", "reversed", "round",
    "str", "sum", "tuple", "zip",
})  # fmt: skip
# The precision in a composite dtype's name: the last letters of vec3d, mat33h, quatf.
_COMPOSITE = re.compile(r"((?:vec|mat|quat|transform|spatial_(?:vector|matrix))\d*)(f|d|h|b|ub|s|us|i|ui|l|ul)?")
_COMPONENTS = frozenset("xyzw")
"""Attributes that vectors have too."""
_ARRAY = re.compile(r"array([1-4])d")


@dataclass(frozen=True, slots=True)
class Structure:
    """What one walk over a source finds. Counts are of the kernel with the helpers that it calls.

    Attributes:
        structure_id: Hash of the syntax tree, names in order of appearance and literals as their types.
        skeleton_id: The same without the precision of dtypes and the order of independent statements.
        lines: Non-blank lines of the kernel itself, decorators included.
        statements: Statements, nested ones included; docstrings are none.
        operators: Arithmetic, comparison and Boolean operators.
        calls: Calls.
        branches: ``if`` statements, each ``elif`` one, and conditional expressions.
        loops: ``for`` and ``while`` loops.
        loop_depth: The deepest nesting of loops.
        nesting: The deepest nesting of blocks below a function's own.
        helpers: Helper functions.
        structs_used: Structs.
    """

    structure_id: str
    skeleton_id: str
    lines: int
    statements: int
    operators: int
    calls: int
    branches: int
    loops: int
    loop_depth: int
    nesting: int
    helpers: int
    structs_used: int


_DEEP = "is nested too deeply"


def describe(source: str, name: str) -> Structure:
    """The structure of one kernel of a source, with the helpers, structs and constants that it needs.

    Args:
        source: A module's text.
        name: The kernel's function; one inside another is found by the end of its qualified name.

    Raises:
        SyntaxError: The text is not Python, or is nested too deeply to be walked.
        ValueError: It holds no function of that name.
    """
    tree = parsed(source)
    modules: dict[str, str] = {}
    members: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                modules[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            members[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            members[node.targets[0].id] = node
    kernel = kernel_of(tree, name)
    walk = _Walk(modules, members, attached(tree), kernel, _instances(tree, name))
    first = min((node.lineno for node in kernel.decorator_list), default=kernel.lineno)
    text = source.splitlines()[first - 1 : kernel.end_lineno]
    try:
        return walk.result(sum(1 for line in text if line and not line.isspace()))
    except RecursionError:
        raise SyntaxError(_DEEP) from None


def attached(tree: ast.Module) -> dict[str, list[ast.FunctionDef]]:
    """By function, the functions whose decorator is called with it, as that of its custom gradient is."""
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: dict[str, list[ast.FunctionDef]] = {}
    for node in tree.body:
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            given = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else None
            if isinstance(given, ast.Name) and given.id in functions:
                found.setdefault(given.id, []).append(node)  # type: ignore[arg-type]
    return found


def _instances(tree: ast.Module, name: str) -> list[ast.expr]:
    """The types that a module's statements, such as ``wp.overload(name, [...])``, give a generic kernel."""
    calls = (node.value for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    mine = (c for c in calls if len(c.args) > 1 and isinstance(c.args[0], ast.Name) and c.args[0].id == name)
    return [given for call in mine for given in call.args[1:]]


@lru_cache(maxsize=2)
def parsed(source: str) -> ast.Module:
    """The syntax tree of a source, which several readers in a row share: none of them changes it.

    Raises:
        SyntaxError: The text is not Python, or is nested more deeply than Python reads.
        ValueError: It holds a null byte.
    """
    try:
        return ast.parse(source)
    except (RecursionError, MemoryError):
        raise SyntaxError(_DEEP) from None


def kernel_of(tree: ast.Module, name: str) -> ast.FunctionDef:
    """A kernel's function in its module's tree; one inside another is found by the end of its qualified name.

    Raises:
        ValueError: There is no function of that name.
    """
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    inner = name.rpartition("__")[2]
    for found in ast.walk(tree):
        if isinstance(found, ast.FunctionDef) and found.name == inner:
            return found
    raise ValueError(f"no function {name!r} in the source")


def _digest(tokens: Iterable[str], size: int = 16) -> str:
    return blake2b("\x1f".join(tokens).encode(), digest_size=size).hexdigest()


@lru_cache(maxsize=4096)
def _foreign(attribute: str) -> str:
    """A name of an imported module: the spelling of a dtype that other spellings map to."""
    match = _COMPOSITE.fullmatch(attribute)
    return match[1] if match and match[2] == "f" else attribute


@lru_cache(maxsize=4096)
def _loose(token: str) -> str:
    """A token without the precision of its dtype."""
    if token.startswith("literal "):
        return "literal real" if "float" in token else "literal whole"
    head, dot, last = token.rpartition(".")
    if last in _FLOATS:
        return "real"
    if last in _WHOLES:
        return "whole"
    match = _COMPOSITE.fullmatch(last)
    return head + dot + match[1] if match else token


class _Walk:
    """The state of one walk. ``out`` takes the tokens; those that stand for a name start with ``#``."""

    def __init__(
        self,
        modules: dict[str, str],
        members: dict[str, ast.stmt],
        beside: dict[str, list[ast.FunctionDef]],
        kernel: ast.FunctionDef,
        instances: list[ast.expr],
    ) -> None:
        self.modules = modules
        self.members = members
        self.out: list[str] = []
        self.names: dict[str, str] = {}
        self.own: set[str] = set()
        self.typed: dict[str, str] = {}
        self.globals: dict[str, str] = {}
        self.fields = {
            item.target.id
            for node in members.values()
            if isinstance(node, ast.ClassDef)
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }
        self.field_names: dict[str, str] = {}
        self.version: dict[str, str] = {}
        self.statements = self.operators = self.calls = self.branches = self.loops = 0
        self.loop_depth = self.nesting = self._loops_open = 0
        self.helpers = self.structs = 0
        self._queue: list[str] = []
        self._parts: list[str] = []
        self._loose_parts: list[str] = []
        self._function(kernel)
        for given in instances:
            self.names, self.version = {}, {}
            self._finish_member("instance", [self._tokens(given)])
        while self._queue:
            reached = self._queue.pop(0)
            node = members[reached]
            if isinstance(node, ast.FunctionDef):
                self.helpers += 1
                self._function(node)
                for other in beside.get(reached, ()):
                    self._function(other)
            elif isinstance(node, ast.ClassDef):
                self.structs += 1
                self._struct(node)
            elif isinstance(node, ast.Assign):
                self._enter(set())
                self._finish_member("constant", [self._tokens(node.value)])

    def result(self, lines: int) -> Structure:
        return Structure(
            _digest(self._parts), _digest(self._loose_parts), lines, self.statements, self.operators, self.calls,
                self.branches,
            self.loops, self.loop_depth, self.nesting, self.helpers, self.structs,
        )  # fmt: skip

    # Members of the module.

    def _finish_member(self, word: str, lists: list[list[str]]) -> None:
        self._parts.append(word)
        self._loose_parts.append(word)
        for tokens in lists:
            self._parts += tokens
            self._loose_parts += map(_loose, tokens)

    def _struct(self, node: ast.ClassDef) -> None:
        self._enter(set())
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                self._finish_member("member", [[self._field(item.target.id)], self._annotation(item.annotation)])

    def _function(self, node: ast.FunctionDef) -> None:
        self._enter(_bound(node))
        lists = [[token for decorator in node.decorator_list for token in self._decorator(decorator)]]
        for argument in _parameters(node.args):
            token = self._name(argument.arg)
            annotation = [] if argument.annotation is None else self._annotation(argument.annotation)
            lists.append([token, *annotation])
            if self.fields and argument.annotation is not None:
                self._note_type(argument.arg, self._struct_of_annotation(argument.annotation))
        if node.returns is not None:
            lists.append(["->", *self._annotation(node.returns)])
        self._finish_member("function", lists)
        body = node.body
        tokens: list[str] = []
        hashes = self._block(body, tokens, 0)
        self._parts += tokens
        self._loose_parts += hashes

    def _decorator(self, node: ast.expr) -> list[str]:
        """What a decorator says: its name, and the function that it is given."""
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name):
            return [_text(node.func, self.modules), self._name(node.args[0].id)]
        return [_text(node, self.modules)]

    # Names.

    def _enter(self, own: set[str]) -> None:
        """Begin a member of the module, with the names that are its own."""
        self.names, self.version, self.typed = {}, {}, {}
        self.own = own
        self._named = 0

    def _name(self, name: str) -> str:
        token = self.names.get(name)
        if token is not None:
            return token
        if name not in self.own:
            if name in self.modules:
                return self.modules[name]
            if name in self.members:
                token = self.globals.get(name)
                if token is None:
                    token = self.globals[name] = f"@{len(self.globals)}"
                    self._queue.append(name)
                    self._number_fields(self.members[name])
                return token
            if name in _BUILTINS:
                return _ABBREVIATED.get(name, name)
        return self._numbered(name)

    def _numbered(self, name: str) -> str:
        token = self.names[name] = f"#{self._named}"
        self._named += 1
        return token

    def visit_inner(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """A function inside another: its own names are not those around it."""
        if isinstance(node, ast.FunctionDef):
            self.out += ["def", self._name(node.name)]
            own, body = _bound(node), node.body
        else:
            self.out.append("lambda")
            own, body = {argument.arg for argument in _parameters(node.args)}, [ast.Expr(node.body)]
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self._visit(default)
        around, outer = self.names, self.own
        self.names = {name: token for name, token in around.items() if name not in own}
        self.own = outer | own
        for argument in _parameters(node.args):
            self.out.append(self._numbered(argument.arg))
            if argument.annotation is not None:
                self.out += self._annotation(argument.annotation)
        for statement in body:
            self._visit(statement)
        self.out.append(")")
        self._leave(own, around, outer)

    def visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        """A comprehension: its variables are its own."""
        targets = [inner for part in node.generators for inner in ast.walk(part.target)]
        own = {inner.id for inner in targets if isinstance(inner, ast.Name)}
        around, outer = self.names, self.own
        self.names = {name: token for name, token in around.items() if name not in own}
        self.own = outer | own
        self._fields_of(node)
        self._leave(own, around, outer)

    def _leave(self, own: set[str], around: dict[str, str], outer: set[str]) -> None:
        """Go back to the scope around one with names of its own; what else was met there keeps its number."""
        self.names, self.own = {**{k: v for k, v in self.names.items() if k not in own}, **around}, outer

    # Structs: an attribute is a field where its owner is one, as far as annotations and assignments say.

    def _note_type(self, name: str, struct: str) -> None:
        if struct:
            self.typed[name] = struct

    def _struct_of_annotation(self, node: ast.expr) -> str:
        """The struct that an annotation names, itself or as an array's element."""
        _, element = _array(node)
        name = element if element is not None else node
        return name.id if isinstance(name, ast.Name) and isinstance(self.members.get(name.id), ast.ClassDef) else ""

    def _struct_of(self, node: ast.expr) -> str:
        """The struct that an expression holds, or an empty text."""
        if isinstance(node, ast.Name):
            return self.typed.get(node.id, "")
        if isinstance(node, ast.Subscript):
            return self._struct_of(node.value)
        if isinstance(node, ast.Attribute):
            owner = self.members.get(self._struct_of(node.value))
            for item in owner.body if isinstance(owner, ast.ClassDef) else ():
                if (
                    isinstance(item, ast.AnnAssign)
                    and isinstance(item.target, ast.Name)
                    and item.target.id == node.attr
                ):
                    return self._struct_of_annotation(item.annotation)
        if isinstance(node, ast.Call):
            return self._struct_of_annotation(node.func)
        return ""

    def _number_fields(self, node: ast.stmt) -> None:
        """Number a struct's fields as it declares them: the order of the statements that use them says nothing."""
        for item in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                self._field(item.target.id)

    def _field(self, name: str) -> str:
        token = self.field_names.get(name)
        if token is None:
            token = self.field_names[name] = f".{len(self.field_names)}"
        return token

    def _annotation(self, node: ast.expr) -> list[str]:
        """A type, whichever way it is spelt."""
        rank, element = _array(node)
        if rank:
            return [f"array{rank}", *(self._annotation(element) if element is not None else ())]
        return self._tokens(node)

    # Expressions.

    def _tokens(self, node: ast.AST) -> list[str]:
        saved, self.out = self.out, []
        self._visit(node)
        tokens, self.out = self.out, saved
        return tokens

    def _visit(self, node: ast.AST) -> None:
        handler = _HANDLERS.get(node.__class__)
        if handler is not None:
            handler(self, node)
            return
        self._fields_of(node)

    def _fields_of(self, node: ast.AST) -> None:
        # Rarely met: the node's class and its fields in order; what Python versions add is left out when empty.
        self.out.append(node.__class__.__name__)
        for _, value in ast.iter_fields(node):
            if isinstance(value, ast.expr_context) or value is None:
                continue
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, ast.AST):
                    self._visit(item)
                else:
                    self.out.append(str(item) if isinstance(item, bool) else type(item).__name__)
        self.out.append(")")

    def visit_name(self, node: ast.Name) -> None:
        self.out.append(self.names.get(node.id) or self._name(node.id))

    def visit_constant(self, node: ast.Constant) -> None:
        value = node.value
        kind = value.__class__
        if kind is float:
            self.out.append("literal float")
        elif kind is int:
            self.out.append("literal int")
        else:
            self.out.append(f"literal {kind.__name__}" if kind is not bool else "literal int bool")

    def visit_binop(self, node: ast.BinOp) -> None:
        self.operators += 1
        self.out.append(node.op.__class__.__name__)
        self._visit(node.left)
        self._visit(node.right)

    def visit_unary(self, node: ast.UnaryOp) -> None:
        if node.op.__class__ is ast.USub and node.operand.__class__ is ast.Constant:
            self._visit(node.operand)
            return
        self.operators += 1
        self.out.append(node.op.__class__.__name__)
        self._visit(node.operand)

    def visit_attribute(self, node: ast.Attribute) -> None:
        value = node.value
        if value.__class__ is ast.Name and value.id in self.modules and value.id not in self.own:
            self.out.append(
                f"{self.modules[value.id]}.{_foreign(node.attr)}" if node.attr not in _DTYPES else node.attr
            )
            return
        named = node.attr in self.fields and (node.attr not in _COMPONENTS or bool(self._struct_of(value)))
        self.out.append(self._field(node.attr) if named else "." + node.attr)
        self._visit(value)

    def visit_call(self, node: ast.Call) -> None:
        self.calls += 1
        out = self.out
        mark = len(out)
        self._visit(node.func)
        arguments = node.args
        if len(arguments) == 1 and not node.keywords and len(out) == mark + 1 and out[mark] in _DTYPES:
            self._visit(arguments[0])
            if len(out) == mark + 2 and out[mark + 1].startswith("literal "):
                # A number of a dtype is one literal.
                out[mark:] = [f"literal call {out[mark]}"]
            else:
                out[mark:mark] = ("Call1",)
            return
        out.insert(mark, f"Call{len(arguments)}")
        for argument in arguments:
            self._visit(argument)
        if node.keywords:
            called = node.func.id if isinstance(node.func, ast.Name) and node.func.id not in self.own else ""
            member = self.members.get(called)
            names = [a.arg for a in _parameters(member.args)] if isinstance(member, ast.FunctionDef) else []
            for keyword in node.keywords:
                out.append(f"{names.index(keyword.arg)}=" if keyword.arg in names else f"{keyword.arg}=")
                self._visit(keyword.value)

    def visit_subscript(self, node: ast.Subscript) -> None:
        self.out.append("[]")
        self._visit(node.value)
        self._visit(node.slice)

    def visit_tuple(self, node: ast.Tuple) -> None:
        self.out.append(f"Tuple{len(node.elts)}")
        for item in node.elts:
            self._visit(item)

    def visit_compare(self, node: ast.Compare) -> None:
        self.operators += len(node.ops)
        self.out.append("".join([op.__class__.__name__ for op in node.ops]))
        self._visit(node.left)
        for item in node.comparators:
            self._visit(item)

    def visit_boolop(self, node: ast.BoolOp) -> None:
        self.operators += len(node.values) - 1
        self.out.append(f"{node.op.__class__.__name__}{len(node.values)}")
        for item in node.values:
            self._visit(item)

    def visit_ifexp(self, node: ast.IfExp) -> None:
        self.branches += 1
        self.out.append("IfExp")
        self._visit(node.test)
        self._visit(node.body)
        self._visit(node.orelse)

    # Statements. Each yields its tokens for the structure and a hash for the skeleton, in which a variable stands
    # for the statement that defined it: statements that do not depend on each other may then come in any order.

    def _block(self, body: list[ast.stmt], tokens: list[str], depth: int) -> list[str]:
        self.nesting = max(self.nesting, depth)
        hashes = []
        for node in body:
            kind = node.__class__
            if kind is ast.Expr and node.value.__class__ is ast.Constant:  # type: ignore[attr-defined]
                continue
            self.statements += 1
            if kind is ast.If:
                hashes.append(self._branch(node, tokens, depth))  # type: ignore[arg-type]
            elif kind is ast.For or kind is ast.While:
                hashes.append(self._loop(node, tokens, depth))  # type: ignore[arg-type]
            else:
                hashes.append(self._simple(node, tokens))
        hashes.sort()
        return hashes

    def _resolved(self, tokens: list[str]) -> list[str]:
        version = self.version
        return [version.get(token, token) if token[0] == "#" else _loose(token) for token in tokens]

    def _simple(self, node: ast.stmt, tokens: list[str]) -> str:
        kind = node.__class__
        if kind is ast.Assign:
            value, targets, word = node.value, node.targets, "="  # type: ignore[attr-defined]
        elif kind is ast.AugAssign:
            value, targets = node.value, [node.target]  # type: ignore[attr-defined]
            word = node.op.__class__.__name__ + "="  # type: ignore[attr-defined]
            self.operators += 1
        elif kind is ast.AnnAssign and node.value is not None:  # type: ignore[attr-defined]
            value, targets, word = node.value, [node.target], ":="  # type: ignore[attr-defined]
        else:
            mine = self._tokens(node.value) if kind is ast.Expr else self._tokens(node)  # type: ignore[attr-defined]
            tokens.append(";")
            tokens += mine
            digest = _digest(self._resolved(mine), 8)
            if kind is ast.Expr:
                # A call for its effect: what it was given may have changed.
                for token in mine:
                    if token[0] == "#" and token == mine[2 if len(mine) > 2 else 0]:
                        self.version[token] = _digest((digest, self.version.get(token, token)), 8)
            return digest
        right = self._tokens(value)
        left = [token for target in targets for token in self._tokens(target)]
        tokens.append(word)
        tokens += left
        tokens += right
        resolved = self._resolved(right)
        if self.fields and isinstance(targets[0], ast.Name):
            self._note_type(targets[0].id, self._struct_of(value))
        if len(left) == 1:
            # A plain variable: its old value matters only where it is read.
            if word not in {"=", ":="}:
                resolved.append(self.version.get(left[0], left[0]))
            digest = self.version[left[0]] = _digest((word, *resolved), 8)
            return digest
        digest = _digest((word, *self._resolved(left), *resolved), 8)
        for position, token in enumerate(left):
            if token[0] == "#" and (left[0][:5] == "Tuple" or position == left.index(token) == _owner(left)):
                self.version[token] = _digest((digest, str(position)), 8)
        return digest

    def _branch(self, node: ast.If, tokens: list[str], depth: int) -> str:
        self.branches += 1
        test = self._tokens(node.test)
        tokens.append("if")
        tokens += test
        tokens.append("{")
        head = self._resolved(test)
        before = dict(self.version)
        then = self._block(node.body, tokens, depth + 1)
        after_then, self.version = self.version, dict(before)
        tokens.append("}{")
        # An ``elif`` is no deeper than its ``if``.
        orelse = node.orelse
        deeper = 0 if len(orelse) == 1 and orelse[0].__class__ is ast.If else 1
        otherwise = self._block(orelse, tokens, depth + deeper)
        tokens.append("}")
        digest = _digest(("if", *head, "{", *then, "}{", *otherwise), 8)
        self._merge(digest, before, after_then, self.version)
        return digest

    def _merge(self, digest: str, before: dict[str, str], *after: dict[str, str]) -> None:
        """Variables that a compound statement changed stand for it from now on."""
        merged = dict(before)
        for versions in after:
            for token, version in versions.items():
                if before.get(token) != version:
                    merged[token] = _digest((digest, *(other.get(token, "") for other in after)), 8)
        self.version = merged

    def _loop(self, node: ast.For | ast.While, tokens: list[str], depth: int) -> str:
        self.loops += 1
        self._loops_open += 1
        self.loop_depth = max(self.loop_depth, self._loops_open)
        if isinstance(node, ast.For):
            head, word = self._tokens(node.iter), "for"
            target = self._tokens(node.target)
        else:
            head, word, target = self._tokens(node.test), "while", []
        tokens.append(word)
        tokens += target
        tokens += head
        tokens.append("{")
        before = dict(self.version)
        resolved = self._resolved(head)
        for token in target:
            self.version[token] = f"counter {self._loops_open}"
        body = self._block(node.body, tokens, depth + 1)
        tokens.append("}")
        self._loops_open -= 1
        digest = _digest((word, *resolved, "{", *body), 8)
        self._merge(digest, before, self.version)
        return digest


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    """What a function takes, in order."""
    rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest]


def _bound(function: ast.FunctionDef) -> set[str]:
    """The names that are a function's own: what it takes and what it assigns."""
    found = {argument.arg for argument in _parameters(function.args)}
    queue: list[ast.AST] = [*function.body]
    while queue:
        node = queue.pop()
        kind = node.__class__
        if kind is ast.Name:
            found.add(node.id)  # type: ignore[attr-defined]
        elif kind is ast.Assign:
            queue += node.targets  # type: ignore[attr-defined]
        elif kind is ast.Tuple or kind is ast.List:
            queue += node.elts  # type: ignore[attr-defined]
        elif kind is ast.AugAssign or kind is ast.AnnAssign:
            queue.append(node.target)  # type: ignore[attr-defined]
        elif kind is ast.For:
            queue += (node.target, *node.body, *node.orelse)  # type: ignore[attr-defined]
        elif kind is ast.If or kind is ast.While:
            queue += (*node.body, *node.orelse)  # type: ignore[attr-defined]
        elif kind is ast.With:
            queue += node.body  # type: ignore[attr-defined]
        elif kind is ast.FunctionDef:
            found.add(node.name)  # type: ignore[attr-defined]
    return found


def _owner(left: list[str]) -> int:
    """The position of the variable that an assignment to an element or a field changes."""
    return next((position for position, token in enumerate(left) if token[0] == "#"), -1)


def _text(node: ast.expr, modules: dict[str, str]) -> str:
    """A decorator as text, its module by its own name."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{modules.get(node.value.id, node.value.id)}.{node.attr}"
    return node.func.__class__.__name__ if isinstance(node, ast.Call) else node.__class__.__name__


def _array(node: ast.expr) -> tuple[int, ast.expr | None]:
    """The rank and element of an array annotation; rank 0 for any other."""
    if isinstance(node, ast.Call):
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        rank = _rank(node.func)
        ndim = keywords.get("ndim")
        if rank and isinstance(ndim, ast.Constant) and isinstance(ndim.value, int):
            rank = ndim.value
        return rank, keywords.get("dtype") or (node.args[0] if node.args else None)
    if isinstance(node, ast.Subscript):
        return _rank(node.value), node.slice
    return 0, None


def _rank(node: ast.expr) -> int:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if name == "array":
        return 1
    match = _ARRAY.fullmatch(name)
    return int(match[1]) if match else 0


_HANDLERS: dict[type[Any], Callable[[_Walk, Any], None]] = {
    ast.Name: _Walk.visit_name,
    ast.Constant: _Walk.visit_constant,
    ast.BinOp: _Walk.visit_binop,
    ast.UnaryOp: _Walk.visit_unary,
    ast.Attribute: _Walk.visit_attribute,
    ast.Call: _Walk.visit_call,
    ast.Subscript: _Walk.visit_subscript,
    ast.Tuple: _Walk.visit_tuple,
    ast.Compare: _Walk.visit_compare,
    ast.BoolOp: _Walk.visit_boolop,
    ast.IfExp: _Walk.visit_ifexp,
    ast.FunctionDef: _Walk.visit_inner,
    ast.Lambda: _Walk.visit_inner,
    ast.ListComp: _Walk.visit_comprehension,
    ast.SetComp: _Walk.visit_comprehension,
    ast.DictComp: _Walk.visit_comprehension,
    ast.GeneratorExp: _Walk.visit_comprehension,
}
