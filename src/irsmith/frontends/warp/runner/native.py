"""The one module that calls Warp's native libraries: its Clang, its object loader and its NVRTC.

They are called through `ctypes` as Warp itself calls them, without importing Warp, which takes a second.
Only workers load them.
"""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from irsmith.errors import UserError
from irsmith.frontends.warp.compiler import require

OPTIMIZATION = 0
"""Clang's level: the lowest gives the right results in a quarter of the time."""

FLAGS = ("-w", "-ffp-contract=off", "-fpch-instantiate-templates")
"""No target CPU is named: the generic one of the platform is the same on every machine."""

CUDA_ARCHITECTURE = 80
CUDA_OPTIMIZATION = 0
"""NVRTC's level for compiling without looking at the result."""

LEAST_ROOM = 64 << 20
"""Bytes that have to be free where headers and objects are written."""

PTX_OPTIMIZATION = 3
"""Warp's default."""

ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"}
"""Keeps `sinf` and its like from using instructions that round differently on other machines."""


def home() -> Path:
    """Where Warp is installed.

    Raises:
        UserError: It is not, or it is not the tested version.
    """
    require()
    spec = importlib.util.find_spec("warp")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


class CompilerError(Exception):
    """A compiler refused a text; the message is its log."""


class Native:
    """Warp's native libraries, loaded.

    Args:
        log: The file that file descriptor 2 writes to, where the libraries print.
        scratch: A folder for precompiled headers and objects.
    """

    def __init__(self, log: Path, scratch: Path) -> None:
        self._home = home()
        self._include = str(self._home / "native").encode()
        self.log = log
        self._scratch = scratch
        self._headers: dict[tuple[int, bool, bool], str] = {}
        self._core = ctypes.CDLL(str(self._home / "bin" / "warp.so"))
        self._clang = ctypes.CDLL(str(self._home / "bin" / "warp-clang.so"))
        self._declare()
        if not self._clang.wp_llvm_set_cpu_block_runtime(self._core.wp_cpu_block_runtime_get_api()):
            raise UserError("Warp's compiler library and its core library do not fit together")

    def _declare(self) -> None:
        text, flag, number, size = ctypes.c_char_p, ctypes.c_bool, ctypes.c_int, ctypes.c_size_t
        texts = ctypes.POINTER(ctypes.c_char_p)
        clang, core = self._clang, self._core
        core.wp_cpu_block_runtime_get_api.restype = ctypes.c_void_p
        clang.wp_llvm_set_cpu_block_runtime.argtypes = [ctypes.c_void_p]
        clang.wp_compile_cpp.argtypes = [
            *(text, text, text, text),
            *(flag, flag, flag, flag),
            *(texts, number, flag, flag, text, number),
        ]
        clang.wp_load_obj_from_bytes.argtypes = [ctypes.c_char_p, size, text, flag]
        clang.wp_lookup.argtypes = [text, text]
        clang.wp_lookup.restype = ctypes.c_uint64
        core.wp_cuda_compile_program.argtypes = [
            *(text, text, number, text, text, number, texts),
            *(flag, number, flag, flag, flag, flag, flag, flag, flag),
            *(text, text, size, texts, ctypes.POINTER(size), ctypes.POINTER(number)),
        ]
        core.wp_cuda_compile_program.restype = size

    @contextmanager
    def _room(self) -> Iterator[None]:
        """See that there is room for what compilers write, of which a part may look like a whole, before and after.

        Raises:
            OSError: There is too little.
        """

        def look() -> None:
            found = os.statvfs(self._scratch)
            if found.f_bavail * found.f_frsize < LEAST_ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._scratch))

        look()
        try:
            yield
        finally:
            look()

    def compile(self, text: str, *, block: int | None, without_bfloat16: bool, tiles: bool) -> bytes:
        """Compile a unit of C++ to an object for this machine.

        Args:
            text: The unit.
            block: The block size of its header if a precompiled one may stand for it.
            without_bfloat16: Whether its header leaves bfloat16 out.
            tiles: Whether tiles live on the stack, as Warp has it on the CPU.

        Raises:
            CompilerError: It does not compile.
        """
        flags = [*FLAGS, *(["-DWP_NO_BFLOAT16="] if without_bfloat16 else [])]
        if block is not None:
            flags += ["-include-pch", self._precompiled(block, flags, without_bfloat16, tiles)]
        with self._room(), self._logged() as log, tempfile.NamedTemporaryFile(dir=self._scratch, suffix=".o") as file:
            if self._clang_compile(text, file.name, flags, tiles=tiles, header_folder=None, block=block or 1):
                raise CompilerError(log())
            return Path(file.name).read_bytes()

    def _precompiled(self, block: int, flags: list[str], without_bfloat16: bool, tiles: bool) -> str:
        key = (block, without_bfloat16, tiles)
        if key not in self._headers:
            folder = self._scratch / f"header_{block}_{without_bfloat16:d}{tiles:d}"
            done = folder / "done"
            if not done.exists():
                folder.mkdir(exist_ok=True)
                empty = str(folder / "empty.o")
                with self._room(), self._logged() as log:
                    if self._clang_compile("", empty, flags, tiles=tiles, header_folder=str(folder), block=block):
                        raise CompilerError(log())
                done.touch()
            # Warp would discard its header and compile again without it whenever a unit has an error:
            # so it is only asked to make it.
            self._headers[key] = str(next(folder.glob("*.pch")))
        return self._headers[key]

    def _clang_compile(
        self, text: str, output: str, flags: Sequence[str], *, tiles: bool, header_folder: str | None, block: int
    ) -> int:
        array = (ctypes.c_char_p * (len(flags) + 1))(*[flag.encode() for flag in flags], None)
        return int(
            self._clang.wp_compile_cpp(
                *(text.encode(), b"unit.cpp", self._include, output.encode()),
                *(False, False, False, tiles),  # debug, verify_fp, fuse_fp, tiles in stack memory
                *(array, OPTIMIZATION, False),
                *(header_folder is not None, header_folder.encode() if header_folder else None, block),
            )
        )

    def load(self, code: bytes, name: str) -> None:
        """Hand an object to the loader, which links it when its first symbol is looked up.

        Raises:
            CompilerError: It cannot be loaded.
        """
        with self._logged() as log:
            if self._clang.wp_load_obj_from_bytes(code, len(code), name.encode(), False):
                raise CompilerError(log())

    def address(self, name: str, symbol: str) -> int:
        """Where a function of a loaded object is.

        Raises:
            CompilerError: Something that the object refers to does not exist.
        """
        with self._logged() as log:
            found = int(self._clang.wp_lookup(name.encode(), symbol.encode()))
            if not found:
                raise CompilerError(log())
        return found

    def ptx(self, text: str, *, architecture: int, optimization: int) -> str:
        """Compile a unit of CUDA C++ to PTX with NVRTC, which needs neither a GPU nor a driver.

        Raises:
            CompilerError: It does not compile.
        """
        with self._room(), self._logged() as log, tempfile.NamedTemporaryFile(dir=self._scratch, suffix=".ptx") as file:
            failed = self._core.wp_cuda_compile_program(
                *(text.encode(), b"unit.cu", architecture, b"", self._include, 0, None),
                *(False, optimization, False),  # debug, level, verbose
                *(False, False, True, False),  # verify_fp, fast_math, fuse_fp, lineinfo: Warp's defaults
                *(False, False),  # compile_time_trace, precompiled headers
                *(file.name.encode(), None, 0, None, None, None),
            )
            if failed:
                raise CompilerError(log())
            return Path(file.name).read_text().rstrip("\0")

    @contextmanager
    def _logged(self) -> Iterator[_Log]:
        yield _Log(self.log, self._include.decode())


class _Log:
    """What the native libraries printed since the log was made."""

    def __init__(self, path: Path, include: str) -> None:
        self._path = path
        self._include = include
        self._start = path.stat().st_size

    def __call__(self) -> str:
        with self._path.open("rb") as file:
            file.seek(self._start)
            text = file.read(1 << 16).decode(errors="replace")
        lines = [line for line in text.splitlines() if not line.startswith("Warp NVRTC compilation error")]
        return "\n".join(lines).replace(self._include + "/", "").strip()
