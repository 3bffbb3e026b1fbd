"""Whether a CUDA text is, statement for statement, the C++ text inside its launch wrapper.

Around one body Warp writes two wrappers: on the CPU arguments come in a struct, on the GPU one by one, in a
loop over the grid or behind a test, where ``return`` becomes ``continue``. The wrappers are compared line
by line with what Warp writes for the row's own arguments, and the bodies with each other. Comments, blank
lines and indentation do not count; anything else that differs is a difference. What blocks of threads do together, with
tiles, is the same statements in blocks of another size: the C++ text runs in blocks of one thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

Texts = Mapping[str, str | None]

_CUDA_LINE_OF = {
    "#define builtin_tid1d() wp::linear_tid<wp_linear_tid>(task_index, dim)": (
        "#define builtin_tid1d() wp::tid(_idx, dim)"
    ),
    "#define builtin_tid2d(x, y) wp::tid(x, y, task_index, dim)": (
        "#define builtin_tid2d(x, y) wp::tid(x, y, _idx, dim)"
    ),
    "#define builtin_tid3d(x, y, z) wp::tid(x, y, z, task_index, dim)": (
        "#define builtin_tid3d(x, y, z) wp::tid(x, y, z, _idx, dim)"
    ),
    "#define builtin_tid4d(x, y, z, w) wp::tid(x, y, z, w, task_index, dim)": (
        "#define builtin_tid4d(x, y, z, w) wp::tid(x, y, z, w, _idx, dim)"
    ),
    "#define WP_TILE_BLOCK_DIM 1": "#define WP_TILE_BLOCK_DIM 256",
}
_CUDA_WORDS = (
    """\
#if defined(__CUDACC__) && !defined(_MSC_VER)
#define __debugbreak() __brkpt()
#endif
""",
    """\
#if defined(__CUDA_ARCH__) && (__CUDA_ARCH__ >= 900)
#define WP_CLUSTER_DIMS(x, y, z) __cluster_dims__(x, y, z)
#else
#define WP_CLUSTER_DIMS(x, y, z)
#endif
#if defined(__CUDACC_VER_MAJOR__) && (__CUDACC_VER_MAJOR__ > 12 || \
(__CUDACC_VER_MAJOR__ == 12 && __CUDACC_VER_MINOR__ >= 4))
#define WP_MAXNREG(n) __maxnreg__(n)
#else
#define WP_MAXNREG(n)
#endif
#if defined(__CUDACC_VER_MAJOR__) && (__CUDACC_VER_MAJOR__ >= 13) && !defined(_DEBUG)
#define WP_ENABLE_SMEM_SPILLING() asm volatile(".pragma \\"enable_smem_spilling\\";");
#else
#define WP_ENABLE_SMEM_SPILLING()
#endif
""",
)
_BLOCK_USE = re.compile(r"\bbuiltin_block_dim\(|\bWP_TILE_")
_EXTENTS = re.compile(r"\btile_(?:shape|stride)_t<[\d,]*>")
_BLOCK = re.compile(r"\b256\b")
_SPECTRUM = re.compile(r"(wp::vec2(?P<kind>[fd])), (?P<bytes>\d+), (?P<batch>\d+), (?P<each>\d+), (?=var_|adj_)")
_FIELD = re.compile(r"(?P<type>.+) (?P<name>\w+);")
_ARRAY = re.compile(r"wp::array_t<(?P<element>.+)>")
_DISPATCHED = re.compile(r"\b_wp_args->(\w+)\.strides\[0\]")
_ATTRIBUTES = re.compile(
    r"^(extern \"C\" )(?:__launch_bounds__\([\d, ]+\) )?(?:WP_CLUSTER_DIMS\([\d, ]+\) )?"
    r"(__global__ void )(?:WP_MAXNREG\(\d+\) )?(?=\w)"
)
_STRIDE = [
    "for (size_t _idx = static_cast<size_t>(blockDim.x) * static_cast<size_t>(blockIdx.x)"
    " + static_cast<size_t>(threadIdx.x);",
    "_idx < dim.size;",
    "_idx += static_cast<size_t>(blockDim.x) * static_cast<size_t>(gridDim.x))",
    "{",
]
_LEAN = [
    "const size_t _idx = static_cast<size_t>(blockIdx.z * gridDim.y + blockIdx.y)"
    " * static_cast<size_t>(gridDim.x * blockDim.x) + static_cast<size_t>(blockIdx.x * blockDim.x + threadIdx.x);",
    "if (_idx >= dim.size) return;",
]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two texts are the same but for the wrapper, and if not, what the first difference is."""

    same: bool
    difference: str | None = None


class _DifferentError(Exception):
    """The texts differ; the message says where."""


def same_statements(name: str, texts: Texts) -> Comparison:
    """Compare a row's CUDA columns with its C++ columns.

    Args:
        name: The kernel's name in the texts.
        texts: The columns of both stages, such as ``cpp_forward`` and ``cuda_forward``.
    """
    try:
        _compare(name, texts)
    except _DifferentError as error:
        return Comparison(False, str(error))
    return Comparison(True)


def _compare(name: str, texts: Texts) -> None:
    _headers(_lines(texts, "cpp_header"), _lines(texts, "cuda_header"))
    _pairs("structs", _lines(texts, "cpp_structs"), _lines(texts, "cuda_structs"))
    for part in ("functions_forward", "functions_backward", "functions_grad"):
        _pairs(part, _lines(texts, f"cpp_{part}"), [_host(line) for line in _lines(texts, f"cuda_{part}")])
    arguments = _arguments(name, _lines(texts, "cpp_arguments"))
    for direction in ("forward", "backward"):
        cpp, cuda = _lines(texts, f"cpp_{direction}"), _lines(texts, f"cuda_{direction}")
        if not cpp and not cuda:
            continue
        inner, strided = _cuda_body(name, direction, arguments, cuda)
        dispatch = texts.get(f"cpp_entry_{direction}") or ""
        _pairs(direction, _cpp_body(name, direction, arguments, cpp, dispatch), inner, strided=strided)
    for column in ("cpp_structs", "cpp_functions_forward", "cpp_functions_grad", "cpp_forward"):
        for line in _lines(texts, column):
            if _BLOCK_USE.search(line):
                raise _DifferentError(f"{column}: the size of a block, which is another on the GPU, matters: {line}")


def _lines(texts: Texts, column: str) -> list[str]:
    lines = (line.strip() for line in (texts.get(column) or "").splitlines())
    return [line for line in lines if line and not line.startswith("//")]


def _host(line: str) -> str:
    """A helper's first line without the mark that lets a GPU call it."""
    return re.sub(r"^(static (?:WP_NOINLINE |WP_FORCEINLINE )?)CUDA_CALLABLE ", r"\1", line)


def _of_one_thread(line: str) -> str:
    """A line of CUDA with the tiles that have an element for each thread of a block as a block of one has them."""
    if "tile_fft(" in line or "tile_ifft(" in line:
        line = _SPECTRUM.sub(_whole_spectrum, line)
    return _EXTENTS.sub(lambda match: _BLOCK.sub("1", match[0]), line)


def _whole_spectrum(match: re.Match[str]) -> str:
    """What a Fourier transform is told of its work, if one thread does all of it: no memory that several share."""
    size = int(match["each"]) * 256
    if int(match["bytes"]) != size * (8 if match["kind"] == "f" else 16):
        return match[0]
    return f"{match[1]}, 0, {match['batch']}, {size}, "


def _pairs(place: str, cpp: list[str], cuda: list[str], *, strided: bool = False) -> None:
    for left, right in zip_longest(cpp, cuda):
        if left is not None and right is not None and left == _of_one_thread(right) and left != "return;":
            continue
        if left == right and not (strided and left == "return;"):
            continue
        if strided and left == "return;" and right == "continue;":
            continue
        raise _DifferentError(f"{place}: C++ has {left!r} where CUDA has {right!r}")


def _headers(cpp: list[str], cuda: list[str]) -> None:
    joined = "".join(f"{line}\n" for line in cuda)
    for words in _CUDA_WORDS:
        if joined.count(words) != 1:
            raise _DifferentError("header: CUDA does not have the words that Warp defines there")
        joined = joined.replace(words, "")
    _pairs("header", [_CUDA_LINE_OF.get(line, line) for line in cpp], joined.splitlines())


def _arguments(name: str, lines: list[str]) -> list[tuple[str, str]]:
    """The type and name of each argument, from the struct that carries them."""
    if not lines or lines[0] != f"struct wp_args_{name} {{" or lines[-1] != "};":
        raise _DifferentError("arguments: the text is not the struct that carries the kernel's arguments")
    fields = [_FIELD.fullmatch(line) for line in lines[1:-1]]
    found = [(field["type"], field["name"]) for field in fields if field]
    if len(found) != len(fields):
        raise _DifferentError("arguments: a line is not a member of a struct")
    return found


def _expect(place: str, lines: Iterator[str], expected: list[str]) -> None:
    for line in expected:
        found = next(lines, None)
        if found != line:
            raise _DifferentError(f"{place}: {found!r} stands where Warp writes {line!r}")


def _bounds(place: str, lines: list[str], end: str) -> str:
    match = re.search(rf"wp::launch_bounds_t<[1-4]> dim{re.escape(end)}(?=\n)", "\n".join(lines))
    if match is None:
        raise _DifferentError(f"{place}: no launch bounds")
    return match[0]


def _cpp_body(
    name: str, direction: str, arguments: list[tuple[str, str]], lines: list[str], dispatch: str
) -> list[str]:
    """The statements of the C++ kernel, once what stands around them is what Warp writes."""
    place = f"cpp_{direction}"
    backward = direction == "backward"
    carriers = ["_wp_args", "_wp_adj_args"] if backward else ["_wp_args"]
    copies = ["wp_contiguous_args", "wp_contiguous_adj_args"][: len(carriers)]
    parameters = [f"wp_args_{name} *{carrier}" for carrier in carriers]
    wrapper = [
        "template <bool wp_linear_contiguous>",
        f"static void {name}_cpu_kernel_{direction}(",
        _bounds(place, lines, ","),
        "size_t task_index,",
        *(f"{parameter}," for parameter in parameters[:-1]),
        f"{parameters[-1]})",
        "{",
        "static constexpr bool wp_linear_tid = wp_linear_contiguous;",
    ]
    contiguous = f"wp_args_{name} wp_contiguous_args;"
    if contiguous in lines:
        wrapper += [f"wp_args_{name} {copy};" for copy in copies]
        wrapper += ["if constexpr (wp_linear_contiguous)", "{"]
        wrapper += [f"{copy} = *{carrier};" for copy, carrier in zip(copies, carriers, strict=True)]
        wrapper += _strides(arguments, copies, dispatch)
        wrapper += [f"{carrier} = &{copy};" for copy, carrier in zip(copies, carriers, strict=True)]
        wrapper += ["}"]
    wrapper += [f"{type_} var_{argument} = _wp_args->{argument};" for type_, argument in arguments]
    if backward:
        wrapper += [f"{type_} adj_{argument} = _wp_adj_args->{argument};" for type_, argument in arguments]
    rest = iter(lines)
    _expect(place, rest, wrapper)
    return _closed(place, list(rest), 1)


def _strides(arguments: list[tuple[str, str]], copies: list[str], dispatch: str) -> list[str]:
    """The lines that set the stride of each array that the entry point found contiguous."""
    found = set(_DISPATCHED.findall(dispatch))
    arrays = [(match["element"], name) for type_, name in arguments if (match := _ARRAY.fullmatch(type_))]
    return [
        f"{copy}.{name}.strides[0] = sizeof({element});" for element, name in arrays if name in found for copy in copies
    ]


def _cuda_body(name: str, direction: str, arguments: list[tuple[str, str]], lines: list[str]) -> tuple[list[str], bool]:
    """The statements of the CUDA kernel, and whether they stand in a loop over the grid."""
    place = f"cuda_{direction}"
    if not lines:
        raise _DifferentError(f"{place}: the text is missing")
    lines = [_ATTRIBUTES.sub(r"\1\2", lines[0]), *lines[1:]]
    parameters = [f"{type_} var_{argument}" for type_, argument in arguments]
    if direction == "backward":
        parameters += [f"{type_} adj_{argument}" for type_, argument in arguments]
    end = "," if parameters else ")"
    strided = _STRIDE[0] in lines
    spilling = ["WP_ENABLE_SMEM_SPILLING();"] if "WP_ENABLE_SMEM_SPILLING();" in lines else []
    wrapper = [
        f'extern "C" __global__ void {name}_cuda_kernel_{direction}(',
        _bounds(place, lines, end),
        *(f"{parameter}," for parameter in parameters[:-1]),
        *(f"{parameter})" for parameter in parameters[-1:]),
        "{",
        *spilling,
        "wp::tile_shared_storage_t tile_mem;",
        *(_STRIDE if strided else _LEAN),
        "wp::tile_shared_storage_t::init();",
    ]
    rest = iter(lines)
    _expect(place, rest, wrapper)
    return _closed(place, list(rest), 2 if strided else 1), strided


def _closed(place: str, lines: list[str], braces: int) -> list[str]:
    if lines[-braces:] != ["}"] * braces:
        raise _DifferentError(f"{place}: the kernel does not end where its wrapper does")
    return lines[:-braces]
