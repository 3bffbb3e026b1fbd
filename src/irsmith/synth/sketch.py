"""A kernel in the making: its arguments, its scopes, and the values that still wait to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import NamedTuple

from irsmith.kernel import Argument, Direction
from irsmith.rng import Stream
from irsmith.synth.algebra import RESULTS, Algebra, exactly, kind_of, matrix, usual, vector, whole
from irsmith.synth.algebra import name as variable
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Assign, Comment, Constant, Expr, Helper, Span, Stmt, Thread
from irsmith.synth.literals import nice
from irsmith.synth.moves import USUAL, Repertoire
from irsmith.synth.names import Names, initials, plural, suggestion
from irsmith.synth.probe import Lanes, Probe
from irsmith.synth.style import Style
from irsmith.synth.themes import Quantity, Theme
from irsmith.types import FLOAT16, INT32, Domain, Struct, ValueType

# How likely a parameter is the one element of an array, which another kernel or an optimiser can write.
_HELD = 0.12
_ONE_AXIS = (16, 24, 32, 32, 48, 64)
_ABBREVIATIONS = ("{0}", "{0}_i", "{1}", "this_{0}", "{1}_i", "cur_{0}", "{1}0", "{0}_val")


# Which words of a theme name arrays of the kinds of mechanics; 4x4 matrices are poses too.
_RIGID = {"q": "rotations", "t": "motions", "w": "spatials", "h": "motions"}


_OUTPUTS = {
    "q": ("new_rot", "q_out", "orientation_out", "rot_out", "rotations_out"),
    "t": ("pose_out", "body_q_out", "new_pose", "xform_out", "world_tf"),
    "h": ("matrix_out", "model_mats", "pose_mats"),
    "w": ("twist_out", "wrench_out", "body_f_out", "body_qd_out", "spatial_out"),
}


class Contract(NamedTuple):
    """What a helper was made for: where its operands lie, and where its result does."""

    helper: Helper
    takes: tuple[Span, ...]
    gives: Span


class Sketch:
    """State that categories and phases share while a kernel grows.

    Attributes:
        rng: The kernel's random stream.
        theme: Where its words and magnitudes come from.
        style: Its author's habits.
        al: Makes expressions of its number types.
        repertoire: The moves that its expressions are made with.
        names: The names taken in the current function.
        module_names: The names taken in the module.
        coords: The thread's coordinates.
        extents: How many elements there are along each of them.
        guarded: Whether bounds are looked after already.
        cooperative: Whether all threads of a block run the same coordinates: they may write the same value to an
            element, and neither add to it nor write over what others have yet to read.
        fixed: Arrays that no result may be written back to, because other threads read them.
        launch: The launch dimension, which a guard may leave larger than the extents.
        pool: Values in scope.
        fresh: Values of the current block that nothing has read yet.
        assignable: Variables that the current block has defined.
        budget: Lines left to fill.
    """

    __slots__ = (
        "_outer",
        "al",
        "arguments",
        "assignable",
        "body",
        "budget",
        "constants",
        "contracts",
        "cooperative",
        "coord_names",
        "coords",
        "extents",
        "fixed",
        "fresh",
        "guarded",
        "helpers",
        "launch",
        "module_names",
        "names",
        "neighbours",
        "pool",
        "probe",
        "quantities",
        "repertoire",
        "rng",
        "structs",
        "style",
        "tags",
        "theme",
        "verb",
    )  # fmt: skip

    def __init__(self, rng: Stream, theme: Theme, style: Style, al: Algebra, length: int, budget: int) -> None:
        self.rng = rng
        self.theme = theme
        self.style = style
        self.al = al
        self.al.length = length
        self.budget = budget
        self.repertoire: Repertoire = USUAL
        self.module_names = Names()
        self.names = Names()
        self.arguments: list[Argument] = []
        self.constants: list[Constant] = []
        self.helpers: list[Helper] = []
        self.contracts: list[Contract] = []
        self.structs: list[Struct] = []
        self.coords: tuple[Expr, ...] = ()
        self.coord_names: tuple[str, ...] = ()
        self.extents: tuple[int, ...] = ()
        self.launch: tuple[int, ...] = ()
        self.pool: list[Expr] = []
        self.fresh: list[Expr] = []
        self.body: list[Stmt] = []
        self.quantities: dict[str, list[Quantity]] = {}
        self.tags: list[str] = []
        self.verb = ""
        self.guarded = False
        self.cooperative = False
        self.neighbours: list[Expr] = []
        self.fixed: set[str] = set()
        # A half has few digits: what is to be felt in one must be larger.
        self.probe = Probe(rng.below(512), 0.03 if al.real is FLOAT16 else 0.006)
        self.assignable: list[Expr] = []
        self._outer: list[list[Expr]] = []

    @property
    def length(self) -> int:
        """Components of the kernel's vectors, and rows of its matrices."""
        return self.al.length

    @length.setter
    def length(self, length: int) -> None:
        self.al.length = length

    # Statements and scopes.

    def emit(self, statement: Stmt) -> None:
        """Append a statement to the current block."""
        self.body.append(statement)
        self.budget -= 1

    def note(self, *texts: str) -> None:
        """Perhaps leave a comment."""
        if self.rng.chance(self.style.comments):
            self.body.append(Comment(self.rng.pick(texts)))
            self.budget -= 1

    def block(self, fill: Callable[[], None]) -> tuple[Stmt, ...]:
        """The statements of a nested block. What it defines goes out of scope with it.

        Raises:
            Discard: It is empty, or left a value unread.
        """
        body, fresh, mark = self.body, self.fresh, len(self.pool)
        assignable = self.assignable
        self.body, self.fresh, self.assignable = [], [], []
        self._outer.append(fresh)
        try:
            fill()
            if self.fresh or not self.body:
                raise Discard("block")
            return tuple(self.body)
        finally:
            self._outer.pop()
            self.body, self.fresh, self.assignable = body, fresh, assignable
            del self.pool[mark:]
            self.budget -= 1

    def read(self, value: Expr) -> None:
        """Mark a value as read."""
        for values in (self.fresh, *self._outer):
            for position, other in enumerate(values):
                if other is value or (value.op == "name" and other.op == "name" and other.name == value.name):
                    del values[position]
                    return

    def add(self, value: Expr) -> Expr:
        """Bring a value into scope, unread."""
        self.pool.append(value)
        self.fresh.append(value)
        return value

    def rebind(self, old: Expr, span: Span) -> Expr:
        """A variable after a change: the same name with another span, unread again."""
        new = old._replace(span=span)
        self.read(old)
        self.assignable = [new if other.name == old.name else other for other in self.assignable]
        for position, other in enumerate(self.pool):
            if other is old or (other.op == "name" and other.name == old.name):
                self.pool[position] = new
                break
        else:
            self.pool.append(new)
        self.fresh.append(new)
        return new

    def put(self, target: Expr, result: Expr, operand: Expr | None = None, word: str = "") -> Span:
        """Emit an assignment to a variable that is declared, and try it; its scope is the caller's business.

        Args:
            target: The variable.
            result: Its new value.
            operand: With ``word``, what makes ``target word operand`` the result.
            word: The operator of an augmented assignment, if the author likes those.

        Raises:
            Discard: The new value is empty.
        """
        lanes = self.probe.check(result)
        if operand is not None and self.rng.chance(self.style.augmented):
            self.emit(Assign(target, operand, word))
        else:
            self.emit(Assign(target, result))
        self.settle(target.name, lanes)
        if not mentions(result, target.name):
            self.al.definitions[target.name] = result
        return result.span

    def settle(self, name: str, lanes: Lanes) -> None:
        """Give a variable its lanes, and forget what it was defined as."""
        self.probe.settle(name, lanes)
        self.al.definitions.pop(name, None)

    def define(self, value: Expr, wish: str = "", *, keep: bool = True) -> Expr:
        """Give a value a variable, in scope and unread unless it is kept out."""
        wish = wish or suggestion(value, self.rng, self.theme.temps)
        if len(wish) > 2 and self.rng.chance(self.style.terse):
            wish = initials(wish)
        lanes = self.probe.check(value)
        # A 4x4 matrix does not say by its type which kind it is.
        target = Expr("name", value.kind, value.type, value.span, (), self.names.distinguished(wish, self.rng))
        self.emit(Assign(target, value))
        self.probe.settle(target.name, lanes)
        self.al.definitions[target.name] = value
        if keep:
            self.assignable.append(target)
            self.add(target)
        return target

    def attempt(self, phase: Callable[[], object]) -> bool:
        """Run a phase, or leave no trace of it where it is discarded."""
        pool, fresh, mark, count = list(self.pool), list(self.fresh), len(self.body), len(self.arguments)
        outer = [list(values) for values in self._outer]
        taken, budget, assignable = set(self.names.taken), self.budget, list(self.assignable)
        module = len(self.constants), len(self.helpers), len(self.structs), len(self.contracts)
        probe = self.probe
        tried, definitions = probe.state(), dict(self.al.definitions)
        try:
            phase()
        except Discard:
            self.pool[:], self.fresh[:], self.assignable[:] = pool, fresh, assignable
            for values, before in zip(self._outer, outer, strict=True):
                values[:] = before
            del self.body[mark:], self.arguments[count:]
            del self.constants[module[0] :], self.structs[module[2] :]
            # Not every helper has a contract.
            del self.helpers[module[1] :], self.contracts[module[3] :]
            self.names.taken, self.budget = taken, budget
            self.al.definitions = definitions
            probe.restore(tried)
            return False
        return True

    def cutoff(self, value: Expr, low: float = 0.25, high: float = 0.75) -> Expr:
        """A number that a scalar is often below and often above, seen where the current block is reached.

        Raises:
            Discard: The scalar hardly varies there.
        """
        at, width = self.probe.quantile(value, low, high, self.rng.uniform(0.2, 0.8))
        if value.kind == "i":
            number = round(at)
            return Expr("literal", "i", value.type, exactly(number), (), "", number)
        if abs(at) < 0.4 * width and self.rng.chance(0.8):
            return self.al.literal(0.0)
        return self.al.literal(nice(at, width * 0.35))

    # Arguments.

    def quantity(self, role: str) -> Quantity:
        """A quantity of the theme that this kernel has not used, if there is one."""
        deck = self.quantities.get(role)
        if not deck:
            deck = self.quantities[role] = self.rng.shuffled(getattr(self.theme, role))
        return deck.pop()

    def array_type(self, kind: str) -> tuple[ValueType, Quantity]:
        """A type of the kind, with a quantity of the theme."""
        if kind == "f":
            return self.al.real, self.quantity("scalars")
        if kind == "v":
            return vector(self.length, self.al.real), self.quantity("vectors")
        if kind == "m":
            return matrix(self.length, self.length, self.al.real), self.quantity("matrices")
        if kind in _RIGID:
            return RESULTS[kind](self.al.real)[1], self.quantity(_RIGID[kind])
        return self.al.whole, self.quantity("wholes")

    def array(
        self,
        wish: str,
        type: ValueType,
        shape: tuple[int, ...],
        domain: Domain | None,
        direction: Direction = Direction.IN,
        kind: str = "",
    ) -> Expr:
        """A new array argument. The expression stands for its elements, and lacks its subscripts."""
        text = self.names.claim(wish)
        self.arguments.append(Argument(text, type, len(shape), direction, shape, domain))
        self.budget -= 1
        span = usual(domain.low, domain.high) if domain else exactly(0.0)
        return Expr("index", kind or kind_of(type), type, span, (), text)

    def array_name(self, quantity: str) -> str:
        """An array's name, by the author's habit."""
        affix = self.style.affix
        if affix == "plural":
            return plural(quantity)
        if affix == "item":
            item = self.theme.items[0].split()[-1]
            return quantity if len(item) + len(quantity) > 16 else f"{item}_{quantity}"
        return quantity + affix

    def value(self, wish: str, type: ValueType, low: float, high: float) -> Expr:
        """A new argument by value, in scope and unread."""
        text = self.names.claim(wish)
        self.arguments.append(Argument(text, type, 0, Direction.IN, (), Domain(low, high)))
        self.budget -= 1
        made = variable(text, type, usual(low, high))
        self.probe.argument(made)
        return self.add(made)

    def param(self) -> Expr:
        """A scalar of the theme that all threads share: by value, or now and then the one element of an array."""
        name, low, high = self.quantity("params")
        if not self.rng.chance(_HELD):
            return self.value(name, self.al.real, low, high)
        array = self.array(name, self.al.real, (1,), Domain(low, high))
        self.probe.shared.add(array.name)
        self.fixed.add(array.name)
        return self.add(array._replace(args=(whole(0),)))

    def subscripts(self) -> tuple[tuple[Expr, ...], tuple[int, ...]]:
        """Which element belongs to this thread: all coordinates, or fewer for an array that is broadcast."""
        coords, extents = self.coords, self.extents
        if len(coords) == 1 or self.rng.chance(0.75):
            return coords, extents
        kept = self.rng.below(len(coords))
        return (coords[kept],), (extents[kept],)

    def load(self, kind: str = "f") -> Expr:
        """This thread's element of a new input array, in scope and unread."""
        type, (quantity, low, high) = self.array_type(kind)
        coords, shape = self.subscripts()
        whole = kind == "i"
        array = self.array(
            self.array_name(quantity),
            type,
            shape,
            Domain(int(low) if whole else low, int(high) if whole else high),
            kind=kind,
        )
        element = array._replace(args=coords)
        if self.rng.chance(self.style.locals):
            return self.define(element, self.local_name(quantity, array.name))
        return self.add(element)

    def local_name(self, quantity: str, array: str) -> str:
        """A variable's name for an array's element."""
        if array != quantity and self.rng.chance(0.8):
            return quantity
        short = quantity[0].lower() if quantity[0].isalpha() else "x"
        wishes = [form.format(quantity, short) for form in _ABBREVIATIONS]
        return self.names_free(wishes)

    def names_free(self, wishes: Sequence[str]) -> str:
        """A wish that is free, not yet claimed."""
        for _ in range(4):
            wish = self.rng.pick(wishes)
            if wish not in self.names.taken:
                return wish
        return wishes[0]

    def module_name(self, wish: str, avoid: Set[str] = frozenset()) -> str:
        """A name of the module that nothing in the kernel shadows.

        Args:
            wish: The name if it is free.
            avoid: Names of variables that would shadow it elsewhere.
        """
        self.module_names.taken |= self.names.taken
        shadows = avoid - self.module_names.taken
        self.module_names.taken |= shadows
        text = self.module_names.claim(wish)
        self.module_names.taken -= shadows
        self.names.taken.add(text)
        return text

    # The launch.

    def open(self, rank: int, extents: tuple[int, ...] = ()) -> None:
        """Start the kernel: choose the launch and read the thread's coordinates."""
        rng = self.rng
        if not extents:
            if rank == 1:
                extents = (rng.pick(_ONE_AXIS),)
            elif rank == 2:
                extents = (rng.between(4, 8), rng.between(4, 8))
            elif rank == 3:
                extents = (rng.between(2, 4), rng.between(3, 4), rng.between(3, 4))
            else:
                extents = tuple(rng.between(2, 3) for _ in range(rank))
        wishes = self.style.coordinates[rank - 1]
        wanted = (wishes,) if isinstance(wishes, str) else wishes
        self.coord_names = tuple(self.names.claim(wish) for wish in wanted)
        self.extents = self.launch = extents
        self.coords = tuple(
            variable(text, INT32, Span(0, extent - 1, extent // 4, (3 * extent) // 4))
            for text, extent in zip(self.coord_names, extents, strict=True)
        )
        self.emit(Thread(self.coord_names))

    def output(
        self, kind: str, type: ValueType, direction: Direction = Direction.OUT, shape: tuple[int, ...] = ()
    ) -> Expr:
        """This thread's element of a new output array."""
        words = _OUTPUTS.get(kind) or (self.theme.vector_results if kind in "vm" else self.theme.results)
        shape = shape or self.extents
        text = self.names.free(words, self.rng)
        domain = None if direction is Direction.OUT else Domain(-1.0, 1.0) if kind != "i" else Domain(0, 20)
        self.arguments.append(Argument(text, type, len(shape), direction, shape, domain))
        self.budget -= 1
        return Expr("index", kind, type, usual(-1.0, 1.0), self.coords, text)


def mentions(value: Expr, name: str) -> bool:
    """Whether an expression reads a variable."""
    return (value.op == "name" and value.name == name) or any(mentions(arg, name) for arg in value.args)
