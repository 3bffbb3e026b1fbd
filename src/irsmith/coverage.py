"""What of a kernel language is covered: which of its builtins are synthesised, and which are proved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
    """The builtins of one frontend.

    Attributes:
        language: What the frontend calls its language, with its version.
        programs: How many synthesised programs were looked at.
        builtins: Every builtin, in the language's own order.
    """

    language: str
    programs: int
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


def page(coverage: Coverage, command: str) -> str:
    """The documentation page, in Markdown.

    Args:
        coverage: What to show.
        command: The command that makes the page.
    """
    groups = coverage.groups()
    everything = coverage.builtins
    count, emitted, forward, _ = share(everything)
    lines = [
        f"# Builtins of {coverage.language}",
        "",
        f"Made by `{command}`.",
        "",
        f"{coverage.language} registers {len(everything)} builtins. {count} of them count: a thread of a user's",
        "kernel can call them without an external asset. The others are what the compiler makes of syntax, aids of",
        "its own tests, or need something that no text holds; each says which. Of those that count,",
        f"{emitted} ({_percent(emitted, count)}) stand in some of the first {coverage.programs:,} programs of seed 0",
        f"at default settings, and {forward} ({_percent(forward, count)}) have a result that the reference checks.",
        "",
        "*Forward*: the reference defines the result, and a test compares it with the compiled builtin. *Backward*:",
        "its adjoint is compared with differences of the reference, row by row; `-` where the language defines none.",
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
        lines += ["", f"## {group}", "", "| builtin | emitted | forward | backward | why not |"]
        lines.append("| --- | --- | --- | --- | --- |")
        lines += [_line(builtin) for builtin in builtins]
    return "\n".join([*lines, ""])


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
