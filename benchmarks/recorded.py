"""What `irsmith record` makes of programs: examples of the Warp wheel that need no display and no GPU, and of this
repository: ``python -m benchmarks.recorded [--out DIR] [PROGRAM…]``.

Each is recorded with inputs into a folder of its own. Printed are its exit status, the distinct launches or calls, the
distinct kernels, rows and rejects, how many rows are proved forward and backward, and why the others are not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.machine import machine
from irsmith.dataset.load import load
from irsmith.record.recording import LAUNCHES

WARP = {
    "core/example_dem.py": "--stage-path None --num-frames 2 --device cpu",
    "core/example_fluid.py": "--headless --num-frames 2 --device cpu",
    "core/example_mesh.py": "--stage-path None --num-frames 2 --device cpu",
    "core/example_mesh_intersect.py": "--stage-path None --num-frames 2 --device cpu",
    "core/example_nvdb.py": "--stage-path None --num-frames 2 --device cpu",
    "core/example_raycast.py": "--headless --width 64 --height 64 --device cpu",
    "core/example_raymarch.py": "--headless --width 16 --height 16 --device cpu",
    "core/example_sample_mesh.py": "--stage-path None --num-frames 2 --device cpu",
    "core/example_sph.py": "--stage-path None --num-frames 1 --device cpu",
    "core/example_wave.py": "--stage-path None --num-frames 4 --device cpu",
    "fem/example_diffusion.py": "--headless --quiet --resolution 8 --device cpu",
    "fem/example_burgers.py": "--headless --resolution 8 --num-frames 2 --device cpu",
    "geometry/example_isosurface.py": "--stage-path None --num-frames 2 --device cpu",
    "optim/example_particle_repulsion.py": "--headless --num-frames 2 --device cpu",
    "tile/example_tile_nbody.py": "--headless --num-frames 2 -N 256 --device cpu",
}
"""Example of the wheel to the arguments that make it short."""

JAX = {"jax_mlp.py": "", "jax_transformer.py": "", "jax_nbody.py": ""}
"""The programs of this repository's ``examples/``."""

SECONDS = 600


def _programs() -> dict[str, tuple[Path, list[str]]]:
    warp = find_spec("warp")
    assert warp is not None
    assert warp.origin is not None
    wheel, own = Path(warp.origin).parent / "examples", Path(__file__).parent.parent / "examples"
    found = {name: (wheel / name, given.split()) for name, given in WARP.items()}
    return found | {name: (own / name, given.split()) for name, given in JAX.items()}


def recorded(program: Path, given: list[str], out: Path) -> dict[str, object]:
    """Record a program into a folder, and say what came of it."""
    command = [sys.executable, "-m", "irsmith", "record", "--out", str(out), "--inputs", "--max-bytes", "4MB",
               "--workers", "2", "--quiet"]  # fmt: skip
    start = perf_counter()
    with TemporaryDirectory() as folder:
        # A cache of its own: what others do with theirs is no part of this.
        environment = {**os.environ, "WARP_CACHE_PATH": folder}
        done = subprocess.run(
            [*command, "--", sys.executable, str(program), *given],
            capture_output=True, text=True, timeout=SECONDS, cwd=folder, check=False, env=environment,
        )  # fmt: skip
    told: dict[str, object] = {"status": done.returncode, "seconds": round(perf_counter() - start)}
    if not (out / LAUNCHES).exists():
        return told | {"said": done.stderr.strip().splitlines()[-3:]}
    dataset = load(out)
    rows = list(dataset)
    launches = [json.loads(line) for line in (out / LAUNCHES).read_text(encoding="utf-8").splitlines()]
    verdicts = [{verdict.check: verdict for verdict in row.verdicts} for row in rows]
    why = Counter(v["forward"].reason for v in verdicts if v["forward"].status != "passed")
    return told | {
        "launches": sum(launch["times"] for launch in launches),
        "distinct": len(launches),
        "kernels": dataset.manifest.tried,
        "rows": len(rows),
        "with inputs": sum(row.kernel.recorded is not None for row in rows),
        "forward": sum(v["forward"].status == "passed" for v in verdicts),
        "own outputs": sum(v["forward"].reason.endswith("left them") for v in verdicts),
        "backward": sum(v["backward"].status == "passed" for v in verdicts),
        "rejects": dataset.manifest.rejects,
        "not proved": dict(why),
    }


def main() -> None:
    """Record the programs that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the datasets here")
    parser.add_argument("programs", nargs="*")
    given = parser.parse_args()
    print(machine())
    with TemporaryDirectory() as folder:
        for name, (program, arguments) in _programs().items():
            if not given.programs or name in given.programs:
                out = (given.out or Path(folder)) / Path(name).stem
                print(name, json.dumps(recorded(program, arguments, out)), flush=True)


if __name__ == "__main__":
    main()
