"""What recording costs a program: ``python -m benchmarks.recording [--repeats 5]``.

A program of Warp launches a small kernel 10,000 times, one of JAX calls a small jitted function 10,000 times. Each is
run alone, recorded, and recorded with inputs, in turn. Printed are the median ratios to the run alone of the
processor time of the loop, after its first pass, and of the whole process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import machine
from irsmith.record.running import run
from irsmith.record.spool import Limits

CALLS = 10_000
_LOOP = """
import sys, time
once()
start = time.process_time()
for _ in range(10_000):
    once()
end = time.process_time()
open(sys.argv[1], "w").write(f"{end - start} {end}")
"""
_WARP = """
import warp as wp

@wp.kernel
def saxpy(a: float, x: wp.array(dtype=float), y: wp.array(dtype=float)):
    i = wp.tid()
    y[i] = a * x[i] + y[i]

wp.config.log_level = wp.LOG_ERROR
x, y = wp.ones(256, dtype=float, device="cpu"), wp.zeros(256, dtype=float, device="cpu")

def once():
    wp.launch(saxpy, dim=256, inputs=[0.5, x, y], device="cpu")
"""
_JAX = """
import jax, jax.numpy as jnp

@jax.jit
def layer(w, x):
    return jnp.tanh(x @ w)

w, x = jnp.eye(16), jnp.ones((4, 16))

def once():
    layer(w, x).block_until_ready()
"""
_WAYS = {"alone": None, "recorded": Limits(), "with inputs": Limits(samples=3)}


def _timed(program: Path, told: Path, limits: Limits | None) -> tuple[float, float]:
    """The processor time of the loop and of the whole process."""
    command = [sys.executable, str(program), str(told)]
    with TemporaryDirectory() as spool:
        if limits is None:
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        elif run(command, Path(spool), limits):
            raise SystemExit(f"{program.name} failed")
    loop, whole = told.read_text(encoding="utf-8").split()
    return float(loop), float(whole)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(machine())
    with TemporaryDirectory() as folder:
        os.environ["WARP_CACHE_PATH"] = folder
        for name, text in (("warp", _WARP), ("jax", _JAX)):
            program, told = Path(folder, f"{name}_loop.py"), Path(folder, "seconds")
            program.write_text(text + _LOOP, encoding="utf-8")
            _timed(program, told, None)
            times = [{way: _timed(program, told, limits) for way, limits in _WAYS.items()} for _ in range(repeats)]
            for way in list(_WAYS)[1:]:
                loop, whole = (statistics.median(t[way][k] / t["alone"][k] for t in times) for k in (0, 1))
                extra = statistics.median((t[way][0] - t["alone"][0]) / CALLS for t in times)
                print(
                    f"{name} {way}: loop {loop:.2f} times, {extra * 1e6:.1f} us a call more; process {whole:.2f} times"
                )


if __name__ == "__main__":
    main()
