"""Build and run the kernel of this folder, and compare what it does with what its Python source means.

    python run.py              compile unit.cpp with the Clang that Warp brings, and call it
    python run.py --cxx g++    the same with a C++ compiler of this machine (for a debugger: build/unit.so)
    python run.py --warp       let Warp itself compile and launch kernel.py
    python run.py --nvrtc      see whether unit.cu compiles to PTX, without running it
    python run.py --swap NAME  give every set the values of NAME from the set before: which outputs feel it

It needs `warp-lang` and `numpy`, and no GPU. The exit status is 0 if everything agrees and 1 if not.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
CALL: dict[str, Any] = json.loads((HERE / "call.json").read_text(encoding="utf-8"))
KERNEL: str = CALL["kernel"]

# What `builtin.h` calls array_t.
ARRAY = np.dtype(
    [
        *(("data", np.uint64), ("grad", np.uint64)),
        *(("shape", np.int32, (4,)), ("strides", np.int32, (4,))),
        *(("ndim", np.uint16), ("flags", np.uint16)),
    ],
    align=True,
)
# And indexedarray_t.
INDEXED = np.dtype([("data", ARRAY), ("indices", np.uint64, (4,)), ("shape", np.int32, (4,))], align=True)

Arrays = dict[str, Any]
Launch = Callable[[Arrays, "Arrays | None"], None]
"""Runs the kernel on its arguments, in place; with adjoints, the adjoint kernel."""


def say(line: str) -> None:
    """Print a line now: compiled code may end the process."""
    print(line, flush=True)  # noqa: T201


def home() -> Path:
    """Where Warp is installed."""
    found = importlib.util.find_spec("warp")
    if found is None or found.origin is None:
        sys.exit(f"Warp is not installed: pip install {CALL['requirements']}")
    return Path(found.origin).parent


def core() -> ctypes.CDLL:
    """Warp's native library, whose functions a kernel may call."""
    return ctypes.CDLL(str(home() / "bin" / "warp.so"), mode=ctypes.RTLD_GLOBAL)


def by_clang() -> Launch:
    """Compile unit.cpp with Warp's Clang and load it as Warp does."""
    clang, runtime = ctypes.CDLL(str(home() / "bin" / "warp-clang.so")), core()
    runtime.wp_cpu_block_runtime_get_api.restype = ctypes.c_void_p
    clang.wp_llvm_set_cpu_block_runtime(ctypes.c_void_p(runtime.wp_cpu_block_runtime_get_api()))
    text, target = (HERE / "unit.cpp").read_bytes(), str(BUILD / "unit.o").encode()
    flags = (ctypes.c_char_p * 3)(b"-w", b"-ffp-contract=off", None)
    no, yes, block = ctypes.c_bool(False), ctypes.c_bool(True), CALL["block"]
    failed = clang.wp_compile_cpp(
        *(text, b"unit.cpp", str(home() / "native").encode(), target),
        *(no, no, no, yes),  # debug, verify_fp, fuse_fp, tiles in stack memory
        *(flags, 0, no),  # extra flags, optimisation, verbose
        *(no, None, block),  # precompiled header
    )
    code = (BUILD / "unit.o").read_bytes() if not failed else b""
    if failed or clang.wp_load_obj_from_bytes(code, ctypes.c_size_t(len(code)), b"unit", no):
        sys.exit("unit.cpp does not compile")
    clang.wp_lookup.restype = ctypes.c_uint64
    return _calling(lambda symbol: clang.wp_lookup(b"unit", symbol.encode()))


def by_compiler(compiler: str) -> Launch:
    """Compile unit.cpp with a compiler of this machine, and Warp's own helpers with it."""
    core()
    native, target = home() / "native", BUILD / "unit.so"
    line = [compiler, "-std=c++17", "-O0", "-g", "-w", "-ffp-contract=off", "-fPIC", "-shared", f"-I{native}"]
    subprocess.run([*line, HERE / "unit.cpp", native / "crt.cpp", "-o", target], check=True)
    library = ctypes.CDLL(str(target))
    return _calling(lambda symbol: ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value or 0)


def _calling(address: Callable[[str], int]) -> Launch:
    rank = CALL["coordinates"]
    extents = CALL["launch"] + [1] * (rank - len(CALL["launch"]))
    bounds = np.zeros(
        (), np.dtype([("shape", np.uint32, (rank,)), ("size", np.uint64), ("fold", np.uint64)], align=True)
    )
    bounds["shape"], bounds["size"], bounds["fold"] = extents[:rank], np.prod(extents), np.prod(extents[rank:])

    def launch(arguments: Arrays, adjoints: Arrays | None) -> None:
        structs = [_packed(arguments, adjoints or {})]
        if adjoints is not None:
            # The adjoint of an argument passed by value has no place to come back to.
            zeros = {name: np.zeros_like(value) for name, value in arguments.items()}
            structs.append(_packed({**zeros, **adjoints}, {}, set(adjoints)))
        symbol = f"{KERNEL}_cpu_{'forward' if adjoints is None else 'backward'}"
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (1 + len(structs)))
        kind(address(symbol))(bounds.ctypes.data, *(struct.ctypes.data for struct in structs))

    return launch


def _packed(values: Arrays, gradients: Arrays, present: set[str] | None = None) -> Any:
    """The struct that carries arguments to the kernel."""
    named = [a for a in CALL["arguments"] if "." not in a["name"]]
    members = [(a["name"], ARRAY if a["rank"] else _value_dtype(a, values[a["name"]])) for a in named]
    struct = np.zeros((), np.dtype(members, align=True))
    for argument in CALL["arguments"]:
        name, rank = argument["name"], argument["rank"]
        if not rank:
            if argument["structure"] is None:
                _put(struct[name], values[name])
            elif present is None:  # The adjoint of an id is none.
                struct[name] = _id(argument, values)
        elif present is None or name in present:
            # An array that a struct holds stands in the struct.
            array, (*path, last) = values[name], name.split(".")
            owner = field(struct, path)
            if owner.dtype == INDEXED and last != "data":
                axis = int(last.removeprefix("indices"))
                owner["indices"][axis], owner["shape"][axis] = array.ctypes.data, len(array)
                continue
            member = owner[last]
            member["data"], member["ndim"] = array.ctypes.data, rank
            member["shape"][:rank], member["strides"][:rank] = array.shape[:rank], array.strides[:rank]
            if name in gradients:
                member["grad"] = gradients[name].ctypes.data
    return struct


def _value_dtype(argument: dict[str, Any], value: Any) -> Any:
    if argument["layout"] == "indexed":
        return INDEXED
    if argument["layout"]:
        return _with_arrays(argument["layout"], value.dtype)
    return np.dtype(np.uint64) if argument["structure"] else np.dtype((_as_in_c(value.dtype), value.shape))


def _id(argument: dict[str, Any], values: Arrays) -> int:
    found: int = structures().identify(core(), values[argument["name"]], argument["structure"])
    return found


def structures() -> Any:
    """The program beside this one that builds what ids stand for."""
    sys.path.insert(0, str(HERE))
    return importlib.import_module("structures")


def _with_arrays(layout: list[Any], dtype: Any) -> Any:
    """The dtype of a struct with the arrays that it holds among its values."""
    members = []
    for name, part in layout:
        if part in ("array", "indexed"):
            members.append((name, ARRAY if part == "array" else INDEXED))
        else:
            members.append((name, _with_arrays(part, dtype[name]) if part else _as_in_c(dtype[name])))
    return np.dtype(members, align=True)


def _put(target: Any, values: Any) -> None:
    """Write values, field by field where the target holds more."""
    if target.dtype == values.dtype:
        target[...] = values
        return
    for name in values.dtype.names or ():
        _put(target[name], values[name])


def _as_in_c(dtype: Any) -> Any:
    """A dtype with the layout that C gives it: a file does not keep that."""
    if dtype.names is None:
        return np.dtype((_as_in_c(dtype.base), dtype.shape)) if dtype.shape else dtype
    return np.dtype([(name, _as_in_c(dtype[name])) for name in dtype.names], align=True)


def by_warp() -> Launch:
    """Let Warp compile kernel.py, and launch it."""
    import warp as wp

    wp.config.kernel_cache_dir = str(BUILD / "cache")
    sys.path.insert(0, str(HERE))
    kernel = getattr(importlib.import_module("kernel"), KERNEL)

    class Tape(wp.Tape):  # type: ignore[misc]
        """One that takes indexed arrays: Warp 1.19.0's own asks them for a gradient, which they do not have."""

        def get_adjoint(self, value: Any) -> Any:
            return None if isinstance(value, wp.indexedarray) else super().get_adjoint(value)

    def launch(arguments: Arrays, adjoints: Arrays | None) -> None:
        values: list[Any] = []
        arrays: Arrays = {}
        built = []

        def array(name: str, dtype: Any) -> Any:
            graded = adjoints is not None and name in adjoints
            arrays[name] = wp.array(arguments[name], dtype=dtype, device="cpu", requires_grad=graded)
            if adjoints is not None and graded:
                arrays[name].grad.assign(adjoints[name])
            return arrays[name]

        about = {a["name"]: a["structure"] for a in CALL["arguments"] if a["structure"]}
        for argument in kernel.adj.args:
            value = arguments[argument.label]
            if argument.label in about:
                built.append(structures().launched(value, about[argument.label]))
                values.append(built[-1].id)
                continue
            if argument.label not in {a["name"] for a in CALL["arguments"] if a["rank"]}:
                values.append(_warp_value(argument.type, value, argument.label, array))
                continue
            values.append(array(argument.label, argument.type.dtype))
        with Tape() as tape:
            wp.launch(kernel, CALL["launch"], inputs=values, device="cpu", block_dim=CALL["block"])
        if adjoints is not None:
            # The adjoint is to see the contents given here, not what the launch has just left.
            for name, value in arrays.items():
                value.assign(arguments[name])
            tape.backward()
        for name, value in arrays.items():
            found, target = (value, arguments) if adjoints is None else (value.grad, adjoints)
            if found is not None:
                target[name][...] = found.numpy()

    return launch


def _warp_value(type_: Any, value: Any, path: str, array: Callable[[str, Any], Any]) -> Any:
    if "indexed" in type(type_).__name__.lower():
        places = [array(f"{path}.indices{axis}", int) for axis in range(type_.ndim)]
        return importlib.import_module("warp").indexedarray(array(f"{path}.data", type_.dtype), places)
    if value.dtype.names is None:
        return type_(*value.reshape(-1).tolist())
    instance = type_()
    for name, variable in type_.vars.items():
        here = f"{path}.{name}"
        if name in value.dtype.names:
            setattr(instance, name, _warp_value(variable.type, value[name], here, array))
        else:
            setattr(instance, name, array(here, variable.type.dtype))
    return instance


def nvrtc() -> bool:
    """Whether unit.cu compiles for the GPU; leaves build/unit.ptx."""
    no, yes = ctypes.c_bool(False), ctypes.c_bool(True)
    failed = core().wp_cuda_compile_program(
        *((HERE / "unit.cu").read_bytes(), b"unit.cu", CALL["architecture"], b"", str(home() / "native").encode()),
        *(0, None, no, 3, no, no, no, yes, no, no, no),
        *(str(BUILD / "unit.ptx").encode(), None, ctypes.c_size_t(0), None, None, None),
    )
    say("unit.cu does not compile" if failed else "unit.cu compiles: build/unit.ptx")
    return not failed


def folder(name: str) -> Arrays:
    """The arrays of a folder by the names of their files, in which a dot leads to a struct's field."""
    return {path.stem: np.load(path) for path in sorted((HERE / name).glob("*.npy"))}


def parts(leaf: str) -> tuple[str, list[str]]:
    """The argument that a file is of, and the path of a struct's field in it."""
    known = [a["name"] for a in CALL["arguments"]]
    name = max((name for name in known if leaf == name or leaf.startswith(f"{name}.")), key=len)
    return name, leaf[len(name) + 1 :].split(".") if leaf != name else []


def field(array: Any, path: list[str]) -> Any:
    """A field of an array of structs, or the array itself."""
    return field(array[path[0]], path[1:]) if path else array


def copies(sets: Arrays, number: int) -> Arrays:
    """One set, in memory of its own and in C layout."""
    return {name: np.array(array[number], dtype=_as_in_c(array.dtype), order="C") for name, array in sets.items()}


def forward(launch: Launch) -> bool:
    """Whether the final contents of all arrays are what they should be."""
    inputs, expected, tolerance = folder("inputs"), folder("expected"), folder("tolerance")
    if not expected:
        say("forward: nothing to compare with, see README.md")
        return True
    found = []
    for number in range(len(next(iter(inputs.values())))):
        found.append(copies(inputs, number))
        launch(found[-1], None)
    right = True
    for leaf, exact in expected.items():
        name, path = parts(leaf)
        got = np.stack([field(one[name], path) for one in found])
        with np.errstate(all="ignore"):
            error = np.abs(got.astype(float) - exact.astype(float))
            same = (got == exact) | (np.isnan(error) & np.isnan(exact.astype(float)))
            wrong = ~same & ~(error <= tolerance[leaf])
        say(f"forward   {leaf}: {len(got)} sets of {got[0].size}: {_verdict(wrong, got, exact)}")
        right &= not wrong.any()
    return right


def swapped(launch: Launch, name: str) -> bool:
    """Whether an argument matters: whether what is written ends differently with the values of another set."""
    inputs = folder("inputs")
    if name not in inputs:
        sys.exit(f"no argument {name}: there are {', '.join(inputs)}")
    others = {**inputs, name: np.roll(inputs[name], 1, axis=0)}
    counts: dict[str, int] = {}
    sets = len(inputs[name])
    for number in range(sets):
        start, before, after = copies(inputs, number), copies(inputs, number), copies(others, number)
        launch(before, None)
        launch(after, None)
        for other in inputs:
            if other in counts or before[other].tobytes() != start[other].tobytes():
                counts[other] = counts.get(other, 0) + (before[other].tobytes() != after[other].tobytes())
    for other, count in counts.items():
        say(f"swap      {name}: {other} ends differently in {count} of {sets} sets")
    return any(counts.values())


def _verdict(wrong: Any, got: Any, exact: Any) -> str:
    if not wrong.any():
        return "as expected"
    place = tuple(int(axis) for axis in np.argwhere(wrong)[0])
    return f"WRONG at {int(wrong.sum())} places, first {list(place)}: {got[place]} instead of {exact[place]}"


def backward(launch: Launch) -> bool:
    """Whether adjoints agree with derivatives of the source's meaning along some directions."""
    about = CALL.get("backward")
    if about is None:
        return True
    primal, seeds, ways = folder("backward/primal"), folder("backward/adjoint"), folder("backward/direction")
    value, fixed, valid = (np.load(HERE / "backward" / f"{name}.npy") for name in ("derivative", "tolerance", "valid"))
    right = True
    along, size, kept = np.zeros(value.shape), np.zeros(value.shape), np.ones(value.shape[1], bool)
    for run in range(len(value)):
        adjoints = copies(seeds, run)
        launch(copies(primal, run), adjoints)
        for leaf, way in ways.items():
            name, path = parts(leaf)
            after = field(adjoints[name], path).reshape(1, -1).astype(float)
            moves = way.reshape(len(way), -1)
            with np.errstate(all="ignore"):
                terms = np.where(moves == 0, 0.0, after * moves)
            along[run] += terms.sum(axis=1)
            size[run] += np.abs(terms).sum(axis=1)
            kept &= (moves == 0).all(axis=1) | np.array_equal(after, field(seeds[name], path)[run].reshape(1, -1))
    for number, name in enumerate(about["directions"]):
        got, exact = along[:, number], value[:, number]
        with np.errstate(all="ignore"):
            bound = fixed[:, number] + about["rounding"] * np.where(np.isfinite(got), size[:, number], 0.0)
            scale = np.maximum(np.abs(exact), np.where(np.isfinite(got), np.abs(got), np.inf))
            # A tolerance as large as the value itself judges nothing.
            judged = valid[:, number] & ((bound <= about["judged"] * scale) | (scale == 0))
            wrong = judged & ~(np.abs(got - exact) <= bound)
        if name == about["outputs"] and kept[number]:
            continue
        say(f"backward  along {name}: {int(judged.sum())} derivatives: {_verdict(wrong, got, exact)}")
        right &= not wrong.any()
    return right


def main() -> Iterator[bool]:
    """Do what the command line says, check by check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--cxx", metavar="COMPILER")
    how.add_argument("--warp", action="store_true")
    how.add_argument("--nvrtc", action="store_true")
    parser.add_argument("--swap", metavar="NAME")
    options = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    if options.nvrtc:
        yield nvrtc()
        return
    launch = by_warp() if options.warp else by_compiler(options.cxx) if options.cxx else by_clang()
    if options.swap:
        yield swapped(launch, options.swap)
        return
    yield forward(launch)
    yield backward(launch)


if __name__ == "__main__":
    sys.exit(0 if all(list(main())) else 1)
