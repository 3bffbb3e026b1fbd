"""One translation unit from the texts of many rows: a namespace each, under one header.

No row's text is edited. Preprocessor lines around it rename the exported symbols, give the words that only
CUDA knows a meaning on the host, and let one of the two specialisations of a C++ kernel stand for both.
Line numbers in the compiler's messages count as in the row's own unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from irsmith.frontends.base import Stage
from irsmith.frontends.warp.runner.jobs import Job
from irsmith.frontends.warp.runner.layout import adjoint_dtype, argument_dtype, arguments_dtype, launch_bounds
from irsmith.frontends.warp.stages import CPP, CUDA

STAGES: dict[str, Stage] = {"cpp": CPP, "cuda": CUDA}

FILE = "row"
"""Messages name rows as files ``row0``, ``row1``, …"""

GRID = "irsmith_grid"
BLOCKS, THREADS = 3, 32
"""The geometry of a CUDA kernel that strides over the grid: less threads than most launches have."""

_HOST_WORDS = """\
#define __global__
#define __launch_bounds__(...)
struct irsmith_index { unsigned x, y, z; };
static irsmith_index threadIdx, blockIdx, blockDim, gridDim;
"""

_HOST_DRIVER = """\
namespace irsmith {
// Stands for one argument: converts to the type that the kernel asks for, if that has the expected size.
template <unsigned long Size> struct value {
    void* at;
    template <typename T> operator T&() const
    {
        static_assert(sizeof(T) == Size, "an argument does not have the size that the signature gives it");
        return *(T*)at;
    }
};
}
extern "C" void irsmith_grid(void (*kernel)(void**), void** arguments, unsigned blocks, unsigned threads)
{
    gridDim = { blocks, 1, 1 };
    blockDim = { threads, 1, 1 };
    for (unsigned block = 0; block < blocks; ++block)
        for (unsigned thread = 0; thread < threads; ++thread) {
            blockIdx = { block, 0, 0 };
            threadIdx = { thread, 0, 0 };
            kernel(arguments);
        }
}
"""

# Inlining is an attribute that Warp's optimiser profits from; without optimising, it costs time.
_ENTRY_BEGIN = """\
#define false true
#pragma push_macro("WP_FORCEINLINE")
#define WP_FORCEINLINE inline"""
_ENTRY_END = """\
#undef false
#pragma pop_macro("WP_FORCEINLINE")"""

_BLOCK_DIM = re.compile(r"#define WP_TILE_BLOCK_DIM (\d+)\n")
_TILES = re.compile(r"\bwp::(?:adj_)?(?:tile_(?!shared_storage_t\b)|(?:tile|untile)\b)")
_OF_THREADS = re.compile(r"\bwp::(?:tile|untile)(?:<[^;]*>)?\(|\btile_i?fft\(")
_PLAIN_HEADER = re.compile(
    r"(?:#define WP_NO_BFLOAT16\n)?\s*#define WP_TILE_BLOCK_DIM (?P<block>\d+)\n"
    r"#define WP_NO_CRT\n#include \"builtin\.h\"\n"
)


def header(texts: Mapping[str, str | None], stage: str) -> str:
    """The header of a row, which all rows of a unit share."""
    return texts.get(f"{stage}_header") or ""


def precompiled_block(header_text: str) -> int | None:
    """The block size that the header's own lines set, or None if they are not those that Warp writes.

    Only then does a precompiled ``builtin.h`` stand for the one that the header includes.
    """
    match = _PLAIN_HEADER.match(header_text)
    return int(match["block"]) if match else None


def without_bfloat16(header_text: str) -> bool:
    """Whether the header leaves bfloat16 out."""
    return header_text.startswith("#define WP_NO_BFLOAT16\n")


def symbols(index: int) -> tuple[str, str]:
    """The exported entry points of one row of a unit, forward and backward."""
    return f"row{index}_forward", f"row{index}_backward"


def host_unit(jobs: Sequence[Job]) -> str:
    """A unit of C++ that runs on the CPU, from jobs of one stage and one header."""
    stage = jobs[0].stage
    texts = [header(jobs[0].texts, stage)]
    if stage == "cuda":
        texts = [_HOST_WORDS, *texts, _HOST_DRIVER]
    for index, job in enumerate(jobs):
        texts += _cpp_row(index, job) if stage == "cpp" else _cuda_row(index, job)
    return "\n".join(texts) + "\n"


def device_unit(jobs: Sequence[Job]) -> str:
    """A unit of CUDA C++ from jobs of one header."""
    texts = [header(jobs[0].texts, "cuda")]
    for index, job in enumerate(jobs):
        names = _kernels(index, job.name)
        texts += _renamed(names, index, _parts(index, job, CUDA))
    return "\n".join(texts) + "\n"


def _kernels(index: int, name: str) -> dict[str, str]:
    return {
        f"{name}_cuda_kernel_forward": f"row{index}_cuda_kernel_forward",
        f"{name}_cuda_kernel_backward": f"row{index}_cuda_kernel_backward",
    }


def _renamed(names: Mapping[str, str], index: int, inside: list[str]) -> list[str]:
    # The symbols have C linkage, so that equal names would be one function in spite of the namespace.
    before = [f"#define {name} {renamed}" for name, renamed in names.items()]
    after = [f"#undef {name}" for name in names]
    return [*before, f"namespace irsmith_row{index} {{", *inside, f'#line 1 "unit"\n}} // irsmith_row{index}', *after]


def _parts(index: int, job: Job, stage: Stage) -> list[str]:
    """The parts behind the header, with the row's own line numbers."""
    texts: list[str] = []
    line = 1
    for part in stage.parts:
        text = job.texts.get(f"{stage.name}_{part.name}")
        if not text or (part.backward and job.backward is None):
            continue
        if part.name != "header":
            place = f'#line {line} "{FILE}{index}"'
            texts += _entry_point(job, place, text) if part.name.startswith("entry") else [place, text]
        line += text.count("\n") + 1
    return texts


def _entry_point(job: Job, place: str, text: str) -> list[str]:
    """The text of an entry point, which instantiates its kernel twice and chooses at run time.

    One is for contiguous arrays and launches without surplus dimensions. It serves both branches here, at
    half the cost, unless the launch has such dimensions: the arrays are always contiguous.
    """
    if int(launch_bounds(job)["coord_mult"]) != 1:
        return [place, text]
    return [_ENTRY_BEGIN, place, text, _ENTRY_END]


def _cpp_row(index: int, job: Job) -> list[str]:
    forward, backward = symbols(index)
    names = {f"{job.name}_cpu_forward": forward, f"{job.name}_cpu_backward": backward}
    size = arguments_dtype(job.signature.arguments).itemsize
    checks = (
        [
            f"static_assert(sizeof(wp_args_{job.name}) == {size}, "
            '"the arguments do not have the size that the signature gives them");'
        ]
        if size
        else []
    )
    return _renamed(names, index, [*_parts(index, job, CPP), f'#line 1 "{FILE}{index}: signature"', *checks])


def _cuda_row(index: int, job: Job) -> list[str]:
    forward, backward = symbols(index)
    names = _kernels(index, job.name)
    arguments = job.signature.parameters
    sizes = [launch_bounds(job).itemsize, *(argument_dtype(argument).itemsize for argument in arguments)]
    entries = [f'#line 1 "{FILE}{index}: signature"', _entry(forward, f"{job.name}_cuda_kernel_forward", sizes)]
    if job.backward is not None:
        adjoints = [adjoint_dtype(argument).itemsize for argument in arguments]
        entries.append(_entry(backward, f"{job.name}_cuda_kernel_backward", sizes + adjoints))
    return _renamed(names, index, [*_parts(index, job, CUDA), *entries])


def _entry(symbol: str, kernel: str, sizes: Sequence[int]) -> str:
    values = ", ".join(f"irsmith::value<{size}> {{ at[{place}] }}" for place, size in enumerate(sizes))
    return f'extern "C" void {symbol}(void** at) {{ {kernel}({values}); }}'


def device_geometry(job: Job) -> tuple[int, int]:
    """Blocks and threads of one launch of a CUDA text on a device, in blocks of the header's size."""
    found = _BLOCK_DIM.search(header(job.texts, "cuda"))
    threads = int(found[1]) if found else THREADS
    return max(1, -(-int(launch_bounds(job)["size"]) // threads)), threads


def geometry(job: Job) -> tuple[int, int]:
    """Blocks and threads of one launch of a CUDA text on the host, where tiles belong to a block of one thread."""
    tiled = has_tiles("cuda", job.texts)
    threads = 1 if tiled else THREADS
    if "_idx +=" in (job.texts.get("cuda_forward") or ""):
        # Blocks in the order of the C++ text, so that sums are rounded alike.
        return (1 if tiled else BLOCKS), threads
    size = int(launch_bounds(job)["size"])
    return max(1, -(-size // threads)), threads


def has_tiles(stage: str, texts: Mapping[str, str | None]) -> bool:
    """Whether a text has tiles, which belong to a block of threads."""
    parts = ("forward", "functions_forward")
    return any(_TILES.search(texts.get(f"{stage}_{part}") or "") for part in parts)


def asks_block(stage: str, texts: Mapping[str, str | None]) -> bool:
    """Whether what a text computes depends on how many threads a block has."""
    return any(
        "builtin_block_dim()" in (texts.get(f"{stage}_{part}") or "") for part in ("forward", "functions_forward")
    )


def needs_a_block(stage: str, texts: Mapping[str, str | None]) -> bool:
    """Whether a CUDA text makes tiles of what each thread of a block holds, or shares out a transform among
    them, so that one thread cannot run it.
    """
    if stage != "cuda":
        return False
    parts = ("forward", "functions_forward")
    return any(_OF_THREADS.search(texts.get(f"cuda_{part}") or "") for part in parts)


def host_block(jobs: Sequence[Job]) -> int | None:
    """The block size that a unit of jobs of one header is compiled for on the host, where a precompiled header may be.

    Threads of a CUDA text run one after the other there, so that none can wait for another: of what they do together
    each does the whole.
    """
    block = precompiled_block(header(jobs[0].texts, jobs[0].stage))
    return block if block is None or jobs[0].stage == "cpp" else 1
