"""Lower a source text to Warp's C++, CUDA and PTX texts, with the map from Python lines to lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from irsmith.frontends.base import Stage
from irsmith.frontends.warp import compiler, ptx
from irsmith.frontends.warp.runner import Failure
from irsmith.frontends.warp.stages import CPP, CUDA, PTX
from irsmith.kernel import Kernel
from irsmith.outcome import LineSpan, Lowering, Reject, Step

_DEVICES = {CPP.name: "cpu", CUDA.name: "cuda"}
_MAPPED_PARTS = ("forward", "backward", "functions_forward", "functions_backward", "functions_grad")
# Warp writes `// <source line>   <L n>` before what a line becomes, and `// adj: …` behind its adjoint.
# A grid-stride kernel has its body one level deeper, in a loop that closes before the function does.
_LAUNCH_LOOP = "    for (size_t _idx = "
_RULE = "//---------"


def lower(kernel: Kernel, stages: Sequence[Stage]) -> Lowering | Reject:
    """Lower a kernel's text by executing it and asking Warp for its texts.

    Whatever the text or Warp raises becomes a reject: both run code that irsmith did not write.
    """
    try:
        with compiler.declared(kernel.source) as module:
            instances = compiler.instances_of(compiler.kernel_of(module, kernel.name))
            if not instances:
                return _reject(kernel, "GenericWithoutInstance", "a generic kernel that no overload gives types to")
            devices = compiler.emit(instances[0])
    except Exception as error:  # noqa: BLE001
        return _reject(kernel, type(error).__name__, str(error))
    texts: dict[str, str | None] = {}
    spans: list[LineSpan] = []
    for stage in stages:
        if stage is PTX:
            compiled = derived(kernel, _columns(CUDA, devices["cuda"]))
            if isinstance(compiled, Reject):
                return compiled
            texts |= compiled
            continue
        for column, text in _columns(stage, devices[_DEVICES[stage.name]]).items():
            texts[column] = text
            if text and column.removeprefix(f"{stage.name}_") in _MAPPED_PARTS:
                spans.extend(line_spans(column, text))
    return Lowering(texts, tuple(spans))


def _columns(stage: Stage, parts: Mapping[str, str]) -> dict[str, str | None]:
    return {f"{stage.name}_{part.name}": parts[part.name] or None for part in stage.parts}


def derived(kernel: Kernel, cuda: Mapping[str, str | None]) -> dict[str, str | None] | Reject:
    """The PTX of a kernel's columns of CUDA."""
    try:
        parts = ptx.emit(kernel.name, cuda)
    except ptx.UnknownPtxError as error:
        return _reject(kernel, type(error).__name__, str(error))
    if isinstance(parts, Failure):
        return _reject(kernel, f"ptx {parts.symptom}", parts.message)
    return _columns(PTX, parts)


def _reject(kernel: Kernel, symptom: str, message: str) -> Reject:
    return Reject(Step.LOWER, symptom, message, kernel.name, kernel.category, kernel.source)


def line_spans(column: str, text: str) -> Iterator[LineSpan]:
    """The spans of a text, read from the comments that Warp leaves at each Python line.

    A comment opens the span of the code below it; an adjoint comment closes the span of the code above it.
    Inside the adjoint of a loop both occur: the loop's body is replayed before it is run backwards.
    """
    opened: tuple[int, int] | None = None
    adjoint_from = 0
    closing = "    }" if _LAUNCH_LOOP in text else "}"
    for line, written in enumerate(text.split("\n"), 1):
        if "//" not in written:
            if written != closing:
                continue
            python_line, adjoint = 0, False
        else:
            comment = written.lstrip(" ")
            number = comment[comment.rfind("<L ") + 3 : -1] if comment.endswith(">") else ""
            if comment.startswith("// ") and number.isdecimal():
                python_line, adjoint = int(number), comment.startswith("adj: ", 3)
            elif comment == _RULE:
                python_line, adjoint = 0, False
            else:
                continue
        if adjoint:
            first = opened[1] if opened is not None and opened[0] == python_line else min(adjoint_from, line)
            yield LineSpan(column, python_line, first, line)
            opened, adjoint_from = None, line + 1
            continue
        if opened is not None:
            yield LineSpan(column, opened[0], opened[1], line - 1)
            opened = None
        if python_line:
            opened = (python_line, line)
        else:
            # A section's title stands on the line below its rule.
            adjoint_from = line + 2
