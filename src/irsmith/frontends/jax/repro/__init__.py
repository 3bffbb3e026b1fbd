"""A function as a folder in which a stranger, who has JAX and not irsmith, can compile its texts and run them.

``run.py`` goes into such folders as it is. It imports nothing of irsmith.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files as resources

import numpy as np

from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.options import BUILT_IN, OWN
from irsmith.frontends.jax.proving import JaxToolchain
from irsmith.frontends.jax.stages import STAGES
from irsmith.kernel import Direction, Kernel
from irsmith.verify import evidence
from irsmith.verify.evidence import Evidence
from irsmith.verify.ports import Array
from irsmith.verify.values import is_float

REQUIREMENTS = f"jax=={compiler.TESTED_VERSION} jaxlib=={compiler.TESTED_VERSION} numpy"


def files(kernel: Kernel, texts: Mapping[str, str | None], story: str) -> dict[str, bytes]:
    """The files of the folder, by path.

    Args:
        kernel: The function. Its source is not executed by JAX here.
        texts: Columns of its stages; empty if it does not lower.
        story: What is to be known of it, in Markdown.
    """
    made = {"kernel.py": kernel.source.encode()}
    made["run.py"] = (resources("irsmith.frontends.jax.repro") / "run.py").read_bytes()
    for stage in STAGES:
        for column in stage.columns():
            text = texts.get(column)
            if text:
                made[f"{column}.{'mlir' if stage.language == 'mlir' else 'txt'}"] = text.encode()
    known = _evidence(kernel)
    made |= {f"{path}.npy": _npy(array) for path, array in _arrays(known)}
    made["call.json"] = _json(_call(kernel))
    made["options.json"] = _json(BUILT_IN | OWN)
    made["README.md"] = _readme(kernel, story, list(made), known).encode()
    return made


def _evidence(kernel: Kernel) -> Evidence:
    with JaxToolchain() as toolchain:
        return evidence.gather(kernel, toolchain)


def _json(content: Mapping[str, object]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()


def _npy(array: Array) -> bytes:
    file = io.BytesIO()
    # NumPy has no bfloat16 of its own: floats are kept wide, and ``call.json`` says what they are.
    np.save(file, array.astype(np.float64) if is_float(array.dtype) else array, allow_pickle=False)
    return file.getvalue()


def _arrays(known: Evidence) -> Iterator[tuple[str, Array]]:
    """Inputs, expected results, and how far off they may be."""
    if known.explored is None:
        return
    observed = known.explored.observed
    for argument in known.kernel.signature.arguments:
        name = argument.name
        if argument.direction is not Direction.OUT:
            yield f"inputs/{name}", observed.sets[name]
            continue
        yield f"expected/{name}", observed.exact[name]
        yield f"tolerance/{name}", np.where(observed.aside[name, ""], np.inf, observed.tolerance[name, ""])


def _call(kernel: Kernel) -> dict[str, object]:
    return {
        "function": kernel.name,
        "arguments": [
            {"name": a.name, "type": str(a.type), "shape": list(a.shape), "direction": a.direction.value}
            for a in kernel.signature.arguments
        ],
        "requirements": REQUIREMENTS,
    }


def _readme(kernel: Kernel, story: str, names: list[str], known: Evidence) -> str:
    missing = known.unknown or (known.problem.message if known.problem is not None else "")
    compared = (
        "It then compiles `hlo_forward.txt`, runs it on the arrays of `inputs/`, and compares what comes out with "
        "`expected/`, element by element, within `tolerance/`."
        if known.explored is not None
        else f"There is nothing to compare with: {missing}."
    )
    listing = "".join(f"- `{name}`\n" for name in sorted(names))
    return f"""# {kernel.name}

{story}

```sh
pip install {REQUIREMENTS}
python run.py
```

`run.py` asks JAX to lower `kernel.py` again, with the options of `options.json` whatever the environment says, and says
whether its HLO is the one that is here. {compared}

{listing}"""
