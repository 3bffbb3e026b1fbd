"""A recipe: everything that decides a dataset's content, read from TOML or made in code, and checked."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import tomli_w

from irsmith import frontends
from irsmith.dataset.splits import Splits
from irsmith.errors import UserError, check_positive, nearest
from irsmith.frontends.base import Frontend, default_stages, stage_named
from irsmith.places import Place
from irsmith.real import Real, config_of
from irsmith.size import FORMATS, parse_size
from irsmith.synth import ALIASES, Augment, Settings, Sizes
from irsmith.synth.steering import Weights, check
from irsmith.templates import Template, from_table
from irsmith.twins import CATEGORIES as TWIN_CATEGORIES

DEFAULT_SHARD_SIZE = 250
DEFAULT_COUNT = 1000
MOST = 10**9
"""The most indices that a recipe may try: the digits of a part's name."""
TARGETS = ("count", "verified", "size")
"""What says how much a recipe makes; it has one of them."""


_LATER = ("templates",)
"""The settings that decide what is made of rows, and not the rows."""
LEVELS = ("full", "compile", "none")
_SEVERAL = "datasets"
"""The key of a file that holds several recipes."""


@dataclass(frozen=True, slots=True)
class Checks:
    """How much is checked beyond what every row gets. Which rows are in a share follows from their sources.

    Attributes:
        twin_runs: The share of rows whose twin text is executed on the host although it says the same.
        twin_compiles: The share of rows whose twin text is compiled for its device.
        removals: The share of rows whose statements are removed one by one.
        keep_wrong_adjoints: Whether a row keeps a backward text that is proved wrong.
        device: Whether the text for the accelerator is run on this machine's accelerator too.
    """

    twin_runs: float = 0.05
    twin_compiles: float = 0.05
    removals: float = 0.05
    keep_wrong_adjoints: bool = False
    device: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a dataset's content.

    Attributes:
        frontend: The Python kernel language.
        twin: The frontend in which another dataset is to hold the same programs; their rows name each other.
        stages: The stages whose texts a row holds; empty for the frontend's default ones.
        count: The number of indices tried. Rejects are not replaced. 1000 where no target is given.
        verified: Instead of a count: go on until so many rows are delivered.
        size: Instead of a count: go on until the delivered rows fill so many bytes, such as ``200MB``.
        size_format: The format whose bytes ``size`` means: `irsmith.size.FORMATS`.
        grown: The counts at which the dataset was appended to: a part ends there.
        version: The dataset's own version, for those who use it.
        seed: Keys every random choice, together with the frontend and the generator's version.
        categories: Category name to weight; the weights add up to 1.
        sizes: How long the kernels are.
        types: Type to weight: how much more often than by default it is drawn; 0 for never.
        builtins: Builtin or operator to weight: how much more often than by default expressions use it; 0 for never.
        augment: The shares of indices that hold a variant of an earlier program.
        require: Tags that every kernel must have.
        forbid: Tags that no kernel may have.
        shard_size: Indices a shard, and so a data file.
        max_reject_share: The share of rejects that stops a run.
        verify: ``full`` runs every row's texts; ``compile`` compiles them; ``none`` does neither.
        checks: How much is checked beyond what every row gets.
        splits: Which rows are for training, and which are kept from it.
        templates: Task or kind of task to the words that exports put around its texts. They change no row.
        real: Which kernels that people wrote it holds, in place of synthesised ones.
    """

    frontend: str = "warp"
    twin: str | None = None
    stages: tuple[str, ...] = ()
    count: int | None = None
    verified: int | None = None
    size: str | None = None
    size_format: str = "parquet"
    grown: tuple[int, ...] = ()
    version: str = "1.0.0"
    seed: int = 0
    categories: tuple[tuple[str, float], ...] = ()
    sizes: Sizes = field(default_factory=Sizes)
    types: Weights = ()
    builtins: Weights = ()
    augment: Augment = field(default_factory=Augment)
    require: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    shard_size: int = DEFAULT_SHARD_SIZE
    max_reject_share: float = 0.05
    verify: str = "full"
    checks: Checks = field(default_factory=Checks)
    splits: Splits = field(default_factory=Splits)
    templates: tuple[tuple[str, Template], ...] = ()
    real: Real = field(default_factory=Real)

    def __post_init__(self) -> None:
        frontend = frontends.get(self.frontend)
        self._check_target()
        if not -(2**63) <= self.seed < 2**63:
            raise UserError(f"seed: {self.seed} does not fit in 64 bits")
        if self.verify not in LEVELS:
            raise UserError(f"verify: unknown level {self.verify!r}: {nearest(self.verify, LEVELS)}")
        shares = {"max_reject_share": self.max_reject_share}
        shares |= {f"checks.{name}": getattr(self.checks, name) for name in ("twin_runs", "twin_compiles", "removals")}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise UserError(f"{name}: {share} is not a share: give 0 to 1")
        stages = tuple(dict.fromkeys(self.stages or [stage.name for stage in default_stages(frontend)]))
        order = [stage.name for stage in frontend.stages]
        for stage in stages:
            stage_named(frontend, stage)
        object.__setattr__(self, "stages", tuple(sorted(stages, key=order.index)))
        proving = [stage.name for stage in frontend.stages if stage.proves]
        if self.verify != "none" and not {*proving} & {*self.stages}:
            wanted = f'add {" or ".join(proving)}, or set verify to "none"'
            raise UserError(f"stages: {', '.join(self.stages)} alone cannot be proved: {wanted}")
        self._check_real()
        offered_categories = frontend.categories() if self.twin is None else self._shared()
        if not self.real.kernels:
            object.__setattr__(self, "categories", _weights(self.categories, offered_categories))
        weighable = frontend.weighable()
        object.__setattr__(self, "types", check("types", frontend.name, weighable.types, self.types))
        object.__setattr__(self, "builtins", check("builtins", frontend.name, weighable.builtins, self.builtins))
        offered = frontend.variants()
        for kind in self.augment.kinds:
            if kind not in offered:
                known = f"it makes {', '.join(offered)}" if offered else "it makes no variants: leave it out"
                raise UserError(f"augment: the {frontend.name} frontend has no {kind!r}: {known}")
        _check_tags("require", self.require, frontend)
        _check_tags("forbid", self.forbid, frontend)
        both = sorted({*self.require} & {*self.forbid})
        if both:
            raise UserError(f"require and forbid: {both[0]!r} is in both")
        held = tuple(dict.fromkeys(_held_out(name, frontend) for name in self.splits.hold_out_categories))
        object.__setattr__(self, "splits", replace(self.splits, hold_out_categories=held))

    def _check_real(self) -> None:
        """Refuse what says how kernels are made where they are given, and what would part a package."""
        if not self.real.kernels:
            return
        usual = Splits()
        for name in ("hold_out_categories", "hold_out_builtins", *(n for n in asdict(usual) if n.startswith("max_"))):
            if getattr(self.splits, name) != getattr(usual, name):
                raise UserError(f"splits.{name}: kernels that people wrote are split by package alone: leave it out")
        for name in ("verified", "size", "categories", "types", "builtins", "require", "forbid"):
            if getattr(self, name):
                raise UserError(f"{name}: kernels that people wrote are taken as they are: leave it out")
        if self.augment.total:
            raise UserError("augment: kernels that people wrote are taken as they are: leave it out")

    def _shared(self) -> dict[str, float]:
        """The categories of programs that this frontend and its twin both print, of equal weight.

        Raises:
            UserError: There is no such twin, or a setting would make other programs of the two.
        """
        assert self.twin is not None
        if frontends.get(self.twin).name == self.frontend:
            raise UserError(f"twin: {self.twin!r} is the recipe's own frontend: name another")
        for name in ("types", "builtins", "require", "forbid"):
            if getattr(self, name):
                raise UserError(f"{name}: frontends differ in it, so that programs would have no twins: leave it out")
        if self.augment.total or self.real.kernels:
            raise UserError("twin: variants, and kernels that people wrote, have no twins: leave it out")
        return dict.fromkeys(TWIN_CATEGORIES, 1.0)

    @property
    def config(self) -> str:
        """What the dataset calls its rows: the frontend's, or those of it that people wrote."""
        return config_of(self.frontend, synthesised=not self.real.kernels)

    @property
    def row_seed(self) -> int | None:
        """The seed that its rows state."""
        return None if self.real.kernels else self.seed

    def _check_target(self) -> None:
        given = [name for name in TARGETS if getattr(self, name) is not None]
        if len(given) > 1:
            raise UserError(f"{' and '.join(given)}: a recipe has one target: give one of {', '.join(TARGETS)}")
        if not given:
            object.__setattr__(self, "count", DEFAULT_COUNT)
        for name in ("count", "verified", "shard_size"):
            check_positive(name, getattr(self, name))
            if (getattr(self, name) or 0) > MOST:
                raise UserError(f"{name}: {getattr(self, name)} is too many: give at most {MOST}, and other seeds")
        if self.size is not None:
            parse_size(self.size)
        if self.size_format not in FORMATS:
            raise UserError(f"size_format: unknown format {self.size_format!r}: {nearest(self.size_format, FORMATS)}")
        if list(self.grown) != sorted(set(self.grown)) or (
            self.grown and not 0 < self.grown[0] <= self.grown[-1] <= MOST
        ):
            raise UserError(f"grown: {list(self.grown)} are not rising counts")

    @property
    def settings(self) -> Settings:
        """What the synthesiser is told."""
        return Settings(self.categories, self.sizes, self.types, self.builtins)

    def to_table(self) -> dict[str, Any]:
        """The recipe as a table that reads back equal, without the settings that say nothing."""
        templates = {task: asdict(template) for task, template in self.templates}
        weights = {name: dict(getattr(self, name)) for name in _WEIGHTS}
        return _stated(asdict(self) | weights | {"templates": templates})

    def to_toml(self) -> str:
        """The recipe as a file that reads back equal."""
        return tomli_w.dumps(self.to_table())

    def with_extent_of(self, other: Recipe) -> Recipe:
        """This recipe, as long as another: which is another recipe's content up to where they end."""
        return replace(self, **{name: getattr(other, name) for name in (*TARGETS, "size_format", "grown", "version")})

    def differences(self, other: Recipe) -> list[str]:
        """The settings that decide rows and in which two recipes differ, each as ``name: mine, not theirs``."""
        mine, theirs = asdict(self), asdict(other)
        return [
            f"{name}: {_spelt(theirs[name])} there, {_spelt(mine[name])} here"
            for name in mine
            if name not in _LATER and mine[name] != theirs[name]
        ]


def _spelt(value: Any) -> str:
    return "none" if value is None else repr(value)


def _stated(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without the settings that say nothing: TOML has no null."""
    pairs = {name: _stated(value) if isinstance(value, dict) else value for name, value in table.items()}
    return {name: value for name, value in pairs.items() if value is not None}


def _category(name: str, known: Mapping[str, float]) -> str:
    canonical = ALIASES.get(name, name)
    if canonical not in known:
        raise UserError(f"unknown category {name!r}: {nearest(name, [*known, *ALIASES])}")
    return canonical


def _held_out(name: str, frontend: Frontend) -> str:
    """A held-out category by its own name. It may be another frontend's: datasets to be merged are split alike."""
    known = dict(frontend.categories())
    if ALIASES.get(name, name) not in known:
        known |= {other: 0.0 for each in frontends.TABLE for other in frontends.get(each).categories()}
    return _category(name, known)


def _weights(given: Iterable[tuple[str, float]], known: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    weights: dict[str, float] = {}
    for name, weight in given:
        canonical = _category(name, known)
        if not 0 <= weight <= 1:
            raise UserError(f"categories: the weight of {name!r} is {weight:g}: give a number from 0 to 1")
        weights[canonical] = weights.get(canonical, 0) + weight
    if not weights:
        everything = math.fsum(known.values())
        return tuple((name, known[name] / everything) for name in sorted(known))
    total = math.fsum(weights.values())
    if abs(total - 1) > 1e-6:
        raise UserError(f"categories: the weights add up to {total:g}, not 1")
    return tuple(sorted((name, weight) for name, weight in weights.items() if weight > 0))


def _check_tags(what: str, tags: Iterable[str], frontend: Frontend) -> None:
    for tag in tags:
        if tag not in frontend.tags:
            raise UserError(f"{what}: unknown tag {tag!r}: {nearest(tag, sorted(frontend.tags))}")


def evenly(categories: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """Equal weights for the named categories."""
    names = list(dict.fromkeys(categories))
    return tuple((name, 1 / len(names)) for name in names)


def parse(text: str, origin: str) -> Recipe:
    """Read a recipe from TOML.

    Args:
        text: The TOML.
        origin: What to call it in errors, such as a file's path.

    Raises:
        UserError: It is not TOML, has an unknown key, or a value that cannot be used.
    """
    table = _toml(text, origin)
    if _SEVERAL in table:
        raise UserError(f"{origin}: holds recipes of several datasets, which `irsmith generate` alone takes")
    return of_table(table, origin)


def _toml(text: str, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{origin}: not TOML: {error}") from None
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, or thousands of brackets in each other.
        raise UserError(f"{origin}: not TOML that can be read: {str(error).partition(';')[0]}") from None


def of_table(table: Mapping[str, Any], origin: str) -> Recipe:
    """A recipe from a table such as TOML or JSON holds.

    Raises:
        UserError: It has an unknown key, or a value that cannot be used.
    """
    try:
        _check_integers(table)
        return _from_table(table)
    except UserError as error:
        raise UserError(f"{origin}: {error}") from None


def parse_all(text: str, origin: str) -> tuple[Recipe, ...]:
    """Read the recipes of a file that has several, or the one that it is.

    Each table of ``datasets`` is a recipe, of which the settings at the top are those that it does not give itself.

    Args:
        text: The TOML.
        origin: What to call it in errors, such as a file's path.

    Raises:
        UserError: As for `parse`, or two of them are of one frontend or split differently.
    """
    table = _toml(text, origin)
    if _SEVERAL not in table:
        return (of_table(table, origin),)
    shared = {name: value for name, value in table.items() if name != _SEVERAL}
    own = table[_SEVERAL]
    if not isinstance(own, list) or not own or not all(isinstance(one, dict) for one in own):
        raise UserError(f"{origin}: {_SEVERAL}: is not a list of tables: write [[{_SEVERAL}]] above each recipe's")
    if any("splits" in one for one in own):
        raise UserError(f"{origin}: {_SEVERAL}.splits: all rows are split alike: put [splits] at the top of the file")
    found = tuple(of_table(shared | one, f"{origin}: {_SEVERAL}[{number}]") for number, one in enumerate(own))
    names = [recipe.frontend for recipe in found]
    if len(set(names)) < len(names):
        raise UserError(f"{origin}: {_SEVERAL}: two are of one frontend: make them apart, and `irsmith merge` them")
    return found


def read(path: Place) -> Recipe:
    """Read a recipe file.

    Raises:
        UserError: It cannot be read, or is not a recipe.
    """
    return parse(_text(path), str(path))


def read_all(path: Place) -> tuple[Recipe, ...]:
    """Read the recipes of a file; see `parse_all`.

    Raises:
        UserError: It cannot be read, or is not what `parse_all` reads.
    """
    return parse_all(_text(path), str(path))


def _check_integers(table: Mapping[str, Any]) -> None:
    """Refuse integers beyond those of TOML: Python's have no bound, and what is computed with them has."""
    items: list[tuple[str, Any]] = list(table.items())
    while items:
        name, value = items.pop()
        if isinstance(value, dict):
            items.extend((f"{name}.{key}", inner) for key, inner in value.items())
        elif isinstance(value, list):
            items.extend((name, inner) for inner in value)
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            told = value if value.bit_length() < 2 * 64 else f"an integer of {value.bit_length()} bits"
            raise UserError(f"{name}: {told} does not fit in 64 bits")


def _text(path: Place) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text") from None


def _from_table(table: Mapping[str, Any]) -> Recipe:
    values = _checked("", Recipe, table)
    for name in values.keys() & set(_WEIGHTS):
        values[name] = tuple(values[name].items())
    for name, kind in _TABLES.items():
        if name in values:
            values[name] = kind(**_checked(f"{name}.", kind, values[name]))
    if "templates" in values:
        values["templates"] = tuple((task, from_table(task, given)) for task, given in values["templates"].items())
    return Recipe(**values)


_WEIGHTS = ("categories", "types", "builtins")
_Table = Sizes | Checks | Splits | Augment | Real
_TABLES: dict[str, type[_Table]] = {
    "sizes": Sizes,
    "checks": Checks,
    "splits": Splits,
    "augment": Augment,
    "real": Real,
}


def _checked(prefix: str, kind: type[Recipe | _Table], table: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a table, each known and of its type."""
    known = {entry.name: str(entry.type) for entry in fields(kind)}
    for name, value in table.items():
        if name not in known:
            raise UserError(f"unknown recipe key '{prefix}{name}': {nearest(name, known)}")
        good, wanted = _TYPES[known[name].removesuffix(" | None")]
        if not good(value):
            raise UserError(f"{prefix}{name}: {json.dumps(value, default=str)} is not {wanted}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_weights(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_number(weight) for weight in value.values())


def _is_tables(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(table, dict) for table in value.values())


_TABLE = (lambda value: isinstance(value, dict), "a table")
_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "a text"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "int": (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    "float": (_is_number, "a number"),
    "tuple[str, ...]": (lambda v: isinstance(v, list) and all(isinstance(n, str) for n in v), "a list of names"),
    "tuple[int, ...]": (lambda v: isinstance(v, list) and all(type(n) is int for n in v), "a list of whole numbers"),
    "tuple[tuple[str, float], ...]": (_is_weights, "a table of weights"),
    "Weights": (_is_weights, "a table of weights"),
    "tuple[tuple[str, Template], ...]": (_is_tables, "a table of tables"),
    "Sizes": _TABLE,
    "Checks": _TABLE,
    "Splits": _TABLE,
    "Augment": _TABLE,
    "Real": _TABLE,
}
"""What a setting of each type, as its field spells it, may be in TOML, and what to call that."""
