"""Lower kernel.py with JAX, compile the HLO text that lies beside it, run it, and compare with what is expected."""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {"XLA_FLAGS": "--xla_cpu_max_isa=AVX2", "NPROC": "1", "JAX_PLATFORMS": "cpu"}

import jax
import ml_dtypes
import numpy as np
from jaxlib import _hlo, _jax

HERE = Path(__file__).parent


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")


def dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of that name."""
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def settle(options: dict[str, Any]) -> None:
    """Give JAX the options that texts are made with, whatever the environment says."""
    for name, value in options.items():
        # Some may not be set, even to what they are, once JAX has begun.
        if jax.config.values[name] != value:
            jax.config.update(name, value)


def hlo_of(call: dict[str, Any]) -> str:
    """The HLO that JAX makes of kernel.py."""
    sys.path.insert(0, str(HERE))
    function = getattr(importlib.import_module("kernel"), call["function"])
    if hasattr(function, "trace"):
        function = function.__wrapped__
    given = [
        jax.ShapeDtypeStruct(tuple(a["shape"]), dtype(a["type"])) for a in call["arguments"] if a["direction"] != "out"
    ]
    jax.clear_caches()
    module = jax.jit(function, keep_unused=True).lower(*given).compiler_ir("hlo").get_hlo_module()
    options = _hlo.HloPrintOptions()
    options.print_metadata = False
    return str(module.to_string(options)).rstrip("\n") + "\n"


def run(text: str, inputs: list[Any]) -> list[Any]:
    """The results of an HLO text for each set of inputs, result by result."""
    module = _hlo.hlo_module_from_text(text)
    stablehlo = _jax.mlir.hlo_to_stablehlo(module.as_serialized_hlo_module_proto())
    device = jax.devices()[0]
    executable = device.client.compile_and_load(stablehlo, _jax.DeviceList((device,)), _jax.CompileOptions())
    with jax.enable_x64(True):
        rows = [
            [np.asarray(result) for result in executable.execute([jax.device_put(values[place]) for values in inputs])]
            for place in range(len(inputs[0]))
        ]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def main() -> int:
    """Say what was found; the status is 1 where something differs."""
    settle(json.loads((HERE / "options.json").read_text()))
    call = json.loads((HERE / "call.json").read_text())
    path = HERE / "hlo_forward.txt"
    text = path.read_text() if path.exists() else None
    fresh = hlo_of(call)
    if text is None:
        say("JAX lowers it")
        return 0
    say("JAX's HLO is the text that is here" if fresh == text else "JAX's HLO differs from the text that is here")
    if not (HERE / "expected").exists():
        return 0
    given = [a for a in call["arguments"] if a["direction"] != "out"]
    results = [a["name"] for a in call["arguments"] if a["direction"] == "out"]
    inputs = [np.load(HERE / "inputs" / f"{a['name']}.npy").astype(dtype(a["type"])) for a in given]
    bad = []
    for name, found in zip(results, run(text, inputs), strict=True):
        expected, tolerance = (np.load(HERE / kind / f"{name}.npy") for kind in ("expected", "tolerance"))
        if not (np.abs(found.astype(np.float64) - expected) <= tolerance).all():
            bad.append(name)
    say(f"{', '.join(bad)} differs from what is expected" if bad else "the results are as expected")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
