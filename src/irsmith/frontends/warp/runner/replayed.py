"""What an adjoint replays of its forward, held against the forward.

An adjoint computes again what it needs: straight-line code in front of the reverse pass, the bodies of dynamic loops
within it. Warp numbers variables alike in both texts, so that each statement replayed is, to the letter, one of the
forward that ran and was proved, in the same order, and each of the forward's is there unless it writes to memory, which
must not happen twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FUNCTION = re.compile(
    r"^(?:static|extern) [^\n]*?(\w+)\([^{;]*?\n\{\n.*?// primal vars\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
_KERNEL = re.compile(r"_(?:cpu|cuda)_kernel_(?:forward|backward)$")
_CONSTANT = re.compile(r"const [\w:<>, ]+ (var_\w+ = .*);")
_REPLAYS = re.compile(r"(?:var_\w+ = (?!wp::iter_reverse)|wp::assign\()")
_JUMP = re.compile(r"goto \w+;|\w+:;|return\b.*;|continue;|\}|\} else \{")
_COUNTS = re.compile(r"var_\w+ = (?:-?\d+|var_\w+);")
"""How a loop over a fixed range is run backwards."""

_OWN = re.compile(r"\breplay_(?=\w+\()")
"""Before the name of a helper whose author says what an adjoint is to call in its place (``@wp.func_replay``)."""

_WRITES = re.compile(r"(?:var_\w+ = )?wp::(?:array_store|atomic_\w+|tile_store|tile_atomic_\w+|store)\b")


def strays(forward: str, backward: str) -> str | None:
    """The first statement that an adjoint replays otherwise than the forward has it, or leaves out, or None.

    Args:
        forward: The generated text of one or more functions.
        backward: That of their adjoints. One whose forward is not there is passed over.
    """
    bodies = dict(_functions(forward))
    for name, body in _functions(backward):
        if name in bodies and (found := _stray(bodies[name], body)) is not None:
            return found
    return None


def _functions(text: str) -> Iterator[tuple[str, str]]:
    for name, body in _FUNCTION.findall(text):
        yield _KERNEL.sub("", name).removeprefix("adj_"), body


def _stray(forward: str, backward: str) -> str | None:
    constants, right = _statements(forward)
    replay, mark, reverse = backward.partition("// reverse\n")
    if not mark:
        return None
    others, again = _statements(replay)
    changed = next((line for line in others if line not in constants), None)
    if changed is not None:
        return changed
    behind = [
        line
        for line in _statements(f"// forward\n{reverse}")[1]
        if _REPLAYS.match(line) and (line in right or not _COUNTS.fullmatch(line))
    ]
    at = 0
    for line in again:
        if line not in right[at:]:
            return line
        at = right.index(line, at) + 1
    places: dict[str, list[int]] = {}
    for place, line in enumerate(right):
        places.setdefault(line, []).append(place)
    for line in behind:
        if line not in places:
            return line
    there = {*again, *behind}
    left = (line for line in right if _REPLAYS.match(line) and not _WRITES.match(line))
    return next((line for line in left if line not in there), None)


def _statements(body: str) -> tuple[list[str], list[str]]:
    """The values of a function's constants, and its statements, each on one line, without what only steers."""
    declared, _, rest = body.partition("// forward\n")
    lines = [" ".join(line.split()) for line in declared.splitlines()]
    constants = [found[1] for line in lines if (found := _CONSTANT.fullmatch(line)) is not None]
    lines = [_OWN.sub("", " ".join(line.split())) for line in rest.splitlines()]
    return constants, [line for line in lines if line and not line.startswith("//") and not _JUMP.fullmatch(line)]
