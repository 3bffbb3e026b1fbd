"""The page of a folder that reproduces a kernel."""

from __future__ import annotations

from collections.abc import Sequence

from irsmith.kernel import Kernel

_MEANINGS = {
    "kernel.py": "the kernel",
    "run.py": "builds it, runs it and compares; `python run.py --help`",
    "structures.py": "what it builds of the arguments that are ids",
    "unit.cpp": "the C++ that Warp makes of it for the CPU",
    "unit.cu": "the CUDA C++ that Warp makes of it for the GPU",
    "unit.ptx": "what NVRTC makes of that",
    "call.json": "how it is called",
    "inputs": "what it is run on, one set an index of the first axis",
    "expected": "what should be in each array after the run; a dot leads to a struct's field",
    "tolerance": "how far off that may be; infinite where rounding decides a branch",
    "backward": "what the adjoint is run on, and derivatives that it should give",
}

_RUNNING = """\
Status 0 means that everything agrees. With `--cxx g++`, a C++ compiler of yours builds the unit instead of the Clang
that Warp brings (headers are taken from the installed Warp); with `--warp`, Warp itself compiles and launches
`kernel.py`; `--nvrtc` compiles `unit.cu` to PTX; `--swap NAME` tells which outputs feel an argument. No GPU is needed.

What is expected comes from the meaning of the Python source, computed without Warp. An output may be off by
what rounding does to the kernel's own intermediates. The adjoint is compared with central differences in float64:
the adjoints that it leaves behind, multiplied with a direction in which the inputs are moved, should be the derivative
of the weighted outputs along that direction."""


def readme(kernel: Kernel, story: str, requirements: str, files: Sequence[str], unknown: str | None) -> str:
    """The page.

    Args:
        kernel: The kernel.
        story: What is to be known of it.
        requirements: What has to be installed.
        files: The paths in the folder.
        unknown: Why there is nothing to compare with, empty where there is; None where it does not lower.
    """
    there = dict.fromkeys(path.partition("/")[0] for path in files)
    table = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in _MEANINGS.items() if name in there)
    if unknown is None:
        running = "Status 1, after Warp's own message, means that Warp does not compile it."
    elif unknown:
        running = f"{_RUNNING.partition(chr(10) * 2)[0]}\n\nThere is nothing to compare with: {unknown}."
    else:
        running = _RUNNING
    return f"""\
# {kernel.name}

{story}

## Build and run

```sh
pip install {requirements}
python run.py
```

{running}

## Files

| file | holds |
| --- | --- |
{table}
"""
