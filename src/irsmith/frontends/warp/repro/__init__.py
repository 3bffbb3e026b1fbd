"""A kernel as a folder in which a stranger, who has Warp and not irsmith, can build it and run it.

Programs go into such folders as they are: ``run.py`` builds and compares, with ``structures.py`` where ids are among
the arguments, and ``refused.py`` asks Warp to compile what did not lower. They import nothing of irsmith.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files as resources
from typing import Any

import numpy as np

from irsmith.frontends.warp import compiler, ptx
from irsmith.frontends.warp.proving import WarpToolchain
from irsmith.frontends.warp.repro.readme import readme
from irsmith.frontends.warp.runner import Job, unit
from irsmith.frontends.warp.runner.layout import launch_rank
from irsmith.frontends.warp.stages import CPP, CUDA, PTX
from irsmith.kernel import Argument, Kernel
from irsmith.types import ArrayType, Bvh, HashGrid, IndexedArray, Mesh, Struct, ValueType
from irsmith.verify import backward, evidence
from irsmith.verify.derivative import OUTPUTS, unit_roundoff
from irsmith.verify.evidence import Evidence
from irsmith.verify.ports import Array
from irsmith.verify.values import floats, leaves

REQUIREMENTS = f"warp-lang=={compiler.TESTED_VERSION} numpy"

_UNITS = {"unit.cpp": CPP, "unit.cu": CUDA, "unit.ptx": PTX}


def files(kernel: Kernel, texts: Mapping[str, str | None], story: str) -> dict[str, bytes]:
    """The files of the folder, by path.

    Args:
        kernel: The kernel.
        texts: Columns of its stages; empty if it does not lower.
        story: What is to be known of it, in Markdown.
    """
    made = {"kernel.py": kernel.source.encode()}
    here = resources("irsmith.frontends.warp.repro")
    if not texts.get("cpp_forward"):
        made["run.py"] = (here / "refused.py").read_bytes()
        made["README.md"] = readme(kernel, story, REQUIREMENTS, list(made), None).encode()
        return made
    made["run.py"] = (here / "run.py").read_bytes()
    if any(_structure(argument) for argument in kernel.signature.arguments):
        made["structures.py"] = (here / "structures.py").read_bytes()
    for name, stage in _UNITS.items():
        if texts.get(f"{stage.name}_forward"):
            made[name] = stage.unit({column: texts.get(column) for column in stage.columns()}).encode()
    known = _evidence(kernel)
    made |= {f"{path}.npy": _npy(array) for path, array in _forward(known)}
    about = None
    if known.points is not None and texts.get("cpp_backward"):
        arrays, about = _backward(known)
        made |= {f"backward/{path}.npy": _npy(array) for path, array in arrays.items()}
    made["call.json"] = (json.dumps(_call(kernel, texts, about), indent=1) + "\n").encode()
    made["README.md"] = readme(kernel, story, REQUIREMENTS, list(made), _unknown(known)).encode()
    return made


def _evidence(kernel: Kernel) -> Evidence:
    with WarpToolchain() as toolchain:
        found = evidence.gather(kernel, toolchain)
        found.differentiate()
    return found


def _unknown(known: Evidence) -> str:
    """Why there is nothing to compare with; empty where there is."""
    if known.explored is not None:
        return ""
    return known.unknown or (known.problem.message if known.problem is not None else "")


def _npy(array: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _call(kernel: Kernel, texts: Mapping[str, str | None], about: dict[str, Any] | None) -> dict[str, Any]:
    job = Job("", kernel.name, CPP.name, texts, kernel.signature, kernel.signature.launch or ())
    return {
        "kernel": kernel.name,
        "arguments": [
            {
                **{"name": a.name, "type": str(a.type), "rank": a.rank},
                "structure": _structure(a),
                # Where the arrays stand that a struct holds.
                "layout": _layout(a.type) if not a.rank else None,
            }
            for a in kernel.signature.arguments
        ],
        "launch": list(kernel.signature.launch or ()),
        "coordinates": launch_rank(job),
        "block": unit.precompiled_block(texts["cpp_header"] or "") or 1,
        "architecture": ptx.ARCHITECTURE,
        "requirements": REQUIREMENTS,
        "backward": about,
    }


def _structure(argument: Argument) -> dict[str, Any] | None:
    """What is built for an id; nothing for other arguments."""
    match argument.type:
        case HashGrid():
            return {"kind": "hash_grid", "cells": argument.domain.high if argument.domain else 1.0}
        case Mesh():
            return {"kind": "mesh"}
        case Bvh(groups=groups):
            return {"kind": "bvh", "grouped": groups > 1}
    return None


def _layout(type_: ValueType) -> list[Any] | str | None:
    """The fields of a struct that holds arrays, each with what it is: an array, such a struct, or anything else."""
    if isinstance(type_, IndexedArray):
        return "indexed"
    if not isinstance(type_, Struct) or not type_.arrays:
        return None
    return [[f.name, "array" if isinstance(f.type, ArrayType) else _layout(f.type)] for f in type_.fields]


def _forward(known: Evidence) -> Iterator[tuple[str, Array]]:
    """Inputs, expected contents of every array, and how far off they may be: not at all where nothing is compared."""
    if known.explored is None:
        return
    observed = known.explored.observed
    faulty = np.array([fault is not None for fault in observed.faults])
    for name, array in observed.sets.items():
        yield f"inputs/{name}", array
    for name, exact in observed.exact.items():
        for path, leaf in leaves(exact):
            allowed = np.where(observed.aside[name, path], np.inf, observed.tolerance[name, path])
            allowed[faulty] = np.inf
            yield f"expected/{name}{path}", leaf
            yield f"tolerance/{name}{path}", allowed


def _backward(known: Evidence) -> tuple[dict[str, Array], dict[str, Any]]:
    """The adjoint's runs, and the derivatives that it should have found along some directions."""
    points, truth = known.points, known.truth
    assert points is not None
    assert truth is not None
    runs = truth.value.shape[0] * truth.value.shape[1]

    def flat(array: Array) -> Array:
        return array.reshape(runs, -1)

    arrays = {f"primal/{name}": array[:runs] for name, array in points.adjoint.primal.items()}
    arrays |= {f"adjoint/{name}": array[:runs] for name, array in points.adjoint.adjoint.items()}
    for name, moves in truth.directions.moves.items():
        arrays |= {f"direction/{name}{path}": leaf for path, leaf in floats(moves)}
    rounding = backward.ULPS * unit_roundoff(known.kernel)
    arrays["derivative"] = flat(truth.value)
    arrays["tolerance"] = flat(backward.FACTOR * truth.spread + rounding * truth.size + 4 * truth.error)
    singular = np.broadcast_to(points.observed.singular[:, None, None], truth.valid.shape)
    arrays["valid"] = flat(truth.valid & ~singular)
    about = {"directions": list(truth.directions.names), "outputs": OUTPUTS, "rounding": rounding}
    return arrays, about | {"judged": backward.JUDGED}
