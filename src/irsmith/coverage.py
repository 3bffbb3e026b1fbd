"""What of a kernel language is covered: which of its builtins are synthesised, and which are proved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

_WIDTH = 118


@dataclass(frozen=True, slots=True)
class Builtin:
    """One builtin of a kernel language, with what irsmith does with it.

    Attributes:
        name: Its name in the language.
        group: The chapter of the language's reference that it belongs to.
        counted: Whether a thread of a user's kernel can call it without an external asset.
        emitted: In how many of the programs looked at the synthesiser used it.
        forward: Whether its result is checked against a reference.
        backward: Whether its gradient is checked against differences of the reference; None where the language
            defines no gradient.
        reason: Why something of this is not so; empty where nothing is missing.
    """

    name: str
    group: str
    counted: bool
    emitted: int
    forward: bool
    backward: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """One vocabulary of a frontend: the builtins of its language, or the operations of a stage.

    Attributes:
        noun: What its members are called, as ``Builtins``.
        language: What the vocabulary is called, with its version.
        counts: What those that count have in common, and what the others are: the end of a sentence, and more.
        meaning: What *forward* and *backward* mean here.
        evidence: The programs that were looked at.
        builtins: Every member, in the language's own order.
    """

    noun: str
    language: str
    counts: str
    meaning: str
    evidence: str
    builtins: tuple[Builtin, ...]

    def groups(self) -> dict[str, list[Builtin]]:
        """The builtins by group, in order."""
        result: dict[str, list[Builtin]] = {}
        for builtin in self.builtins:
            result.setdefault(builtin.group, []).append(builtin)
        return result


def share(builtins: Iterable[Builtin]) -> tuple[int, int, int, int]:
    """Of some builtins: how many count, and of those how many are emitted, checked forward, and checked backward."""
    counted = [builtin for builtin in builtins if builtin.counted]
    return (
        len(counted),
        sum(builtin.emitted > 0 for builtin in counted),
        sum(builtin.forward for builtin in counted),
        sum(builtin.backward is True for builtin in counted),
    )


def page(coverages: Sequence[Coverage], command: str) -> str:
    """The documentation page, in Markdown.

    Args:
        coverages: What to show, one chapter each.
        command: The command that makes the page.
    """
    lines = []
    for coverage in coverages:
        lines += [f"# {coverage.noun} of {coverage.language}", "", f"Made by `{command}`.", "", *_chapter(coverage), ""]
    return "\n".join(lines)


def _chapter(coverage: Coverage) -> list[str]:
    groups = coverage.groups()
    everything = coverage.builtins
    noun = coverage.noun.lower()
    count, emitted, forward, _ = share(everything)
    lines = [
        *wrap(
            f"{coverage.language} has {len(everything)} {noun}. {count} of them count: {coverage.counts} Of those that "
            f"count, {emitted} ({_percent(emitted, count)}) stand in some of {coverage.evidence}, and {forward} "
            f"({_percent(forward, count)}) have a result that the reference checks.",
            _WIDTH,
        ),
        "",
        *wrap(coverage.meaning, _WIDTH),
        "",
        "| group | registered | count | emitted | forward | backward |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for group, builtins in (*groups.items(), ("all", everything)):
        counted, used, known, differentiated = share(builtins)
        lines.append(
            f"| {group} | {len(builtins)} | {counted} | {used}{_of(used, counted)} | {known}{_of(known, counted)} "
            f"| {differentiated} |"
        )
    for group, builtins in groups.items():
        lines += ["", f"## {group}", "", f"| {noun.removesuffix('s')} | emitted | forward | backward | why not |"]
        lines.append("| --- | --- | --- | --- | --- |")
        lines += [_line(builtin) for builtin in builtins]
    return lines


def _line(builtin: Builtin) -> str:
    backward = "-" if builtin.backward is None else _word(yes=builtin.backward)
    cells = [f"`{builtin.name}`", _word(yes=builtin.emitted > 0), _word(yes=builtin.forward), backward]
    return f"| {' | '.join([*cells, builtin.reason])} |".replace("|  |", "| |")


def _word(*, yes: bool) -> str:
    return "yes" if yes else "no"


def _of(part: int, whole: int) -> str:
    return f" ({_percent(part, whole)})" if whole else ""


def _percent(part: int, whole: int) -> str:
    return f"{100 * part // whole} %"


def reasons(named: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Reasons by name, from lines of names that share one.

    Raises:
        ValueError: A name has two.
    """
    result: dict[str, str] = {}
    for reason, names in named:
        for name in names.split():
            if name in result:
                raise ValueError(f"{name} has two reasons")
            result[name] = reason
    return result
