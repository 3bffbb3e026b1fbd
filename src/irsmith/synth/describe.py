"""A kernel's name and the sentence on what it computes."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.kernel import Direction
from irsmith.synth.ir import Parameter
from irsmith.synth.sketch import Sketch

_TAILS = ("_kernel", "", "", "", "_step", "_pass", "_op")
_GERUNDS = {
    "loop": "by looping over each {item}'s row",
    "nested_loop": "with nested loops",
    "atomic": "with atomic updates",
    "reduction": "by reduction",
    "control_flow": "depending on its state",
    "nested_branch": "depending on its state",
    "multi_conditional": "case by case",
}
_IMPERATIVES = frozenset({
    "activate", "apply", "blend", "combine", "make", "map", "mix", "relax", "rotate", "scale", "shift", "squash",
    "step", "update", "weigh",
})  # fmt: skip
"""Verbs that names of helpers begin with."""
_PREPOSITIONS = frozenset({"by", "of", "to", "toward", "with"})


def describe(s: Sketch, category: str) -> tuple[str, str]:
    """The kernel's name, and one sentence."""
    rng, theme = s.rng, s.theme
    verb = s.verb or rng.pick(theme.verbs)
    outputs = [argument.name for argument in s.arguments if argument.direction is not Direction.IN]
    inputs = [argument.name for argument in s.arguments if argument.direction is Direction.IN]
    subject = (outputs[0] if outputs else inputs[0]).rpartition(".")[2].removesuffix("_out").removeprefix("new_")
    if len(subject) < 3:
        subject = theme.items[0].split()[-1]
    if verb in subject.lower():
        verb = "compute"
    name = s.module_name(f"{verb}_{subject}".lower() + rng.pick(_TAILS))
    item = rng.pick(theme.items)
    text = f"{verb.capitalize()} {_listing(outputs)} of each {item}"
    if inputs:
        text += f" from {_listing(inputs[:4])}"
    tail = _GERUNDS.get(category)
    if tail:
        text += ", " + tail.format(item=item)
    return name, text + "."


def describe_helper(name: str, parameters: Sequence[Parameter]) -> str:
    """One sentence on what a helper function returns or does, as its name has it."""
    given = [parameter.name for parameter in parameters]
    first, *rest = name.rstrip("0123456789").split("_")
    if first == "to":
        return f"Convert {_listing(given)} to {' '.join(rest)}."
    if first in _IMPERATIVES:
        if rest and rest[-1] in _PREPOSITIONS and len(given) > 1:
            return f"{first.capitalize()} {given[0]} {' '.join(rest)} {_listing(given[1:])}."
        if not rest or rest == ["any"]:
            return f"{first.capitalize()} {_listing(given)}."
        return f"{first.capitalize()} the {' '.join(rest)}."
    words = " ".join([first, *rest])
    return f"Return the {words} {_listing(given)}." if rest and rest[-1] == "of" else f"Return the {words}."


def _listing(names: list[str]) -> str:
    words = [name.rpartition(".")[2].replace("_", " ") for name in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
