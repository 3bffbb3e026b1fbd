"""Limits on the processes that run what others wrote: compiled code, and a source that gives a reference its meaning.

What they stop: a crash, an endless loop, memory beyond a bound, output without end, processes left behind;
and on Linux for x86-64 every system call but those that memory and output need, so that no file is opened,
no program started, no connection made and no process signalled.

What they do not stop: code that spoils the memory of its own process and thereby the rows that run after it
in the same batch (it can forge their results, not those already sent); code that reads its process's
memory; on other platforms than Linux for x86-64, anything that the user may do. Nor do they apply to a
compiler, which a text can make read any file that the user may read.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 38, 22
_SECCOMP_MODE_FILTER = 2
_KILL, _ALLOW = 0x80000000, 0x7FFF0000
_AUDIT_X86_64 = 0xC000003E
_LOAD_WORD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06

_ALLOWED_X86_64 = {
    "read": 0,
    "write": 1,
    "fstat": 5,
    "lseek": 8,
    "mmap": 9,
    "mprotect": 10,
    "munmap": 11,
    "brk": 12,
    "rt_sigaction": 13,
    "rt_sigprocmask": 14,
    "rt_sigreturn": 15,
    "mremap": 25,
    "madvise": 28,
    "getpid": 39,
    "exit": 60,
    "gettid": 186,
    "futex": 202,
    "clock_gettime": 228,
    "exit_group": 231,
    "getrandom": 318,
}


def address_space() -> int:
    """Bytes of address space that this process has in use; 0 where the system does not say."""
    return _statm(os.getpid())[0]


def resident(process: int) -> int:
    """Bytes of memory that a process occupies; 0 where the system does not say."""
    return _statm(process)[1]


def _statm(process: int) -> tuple[int, int]:
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:  # noqa: PTH123  (called often)
            total, occupied = file.read().split()[:2]
    except OSError:
        return 0, 0
    page = os.sysconf("SC_PAGE_SIZE")
    return int(total) * page, int(occupied) * page


def limit(*, memory: int, seconds: float, output: int) -> None:
    """Bound this process for good; the seconds are of processor time."""
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, output)
    _set(resource.RLIMIT_CPU, int(seconds) + 2, grace=5)
    used = address_space()
    if used:
        _set(resource.RLIMIT_AS, used + memory)
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def limit_compiler(memory: int) -> None:
    """Bound a worker: no core files, and an address space for the compiler."""
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_AS, memory)


def limit_interpreter(memory: int) -> None:
    """Bound a process that runs sources one after the other, until its parent ends: it ends then, whatever it does."""
    _set(resource.RLIMIT_CORE, 0)
    used = address_space()
    if used:
        _set(resource.RLIMIT_AS, used + memory)
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _set(what: int, value: int, grace: int = 0) -> None:
    hard = resource.getrlimit(what)[1]
    soft, most = (bound if hard == resource.RLIM_INFINITY else min(bound, hard) for bound in (value, value + grace))
    resource.setrlimit(what, (soft, most))


def seal() -> bool:
    """Let this process make no system call but a few, for good. Say whether the system can do that."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    numbers = sorted(_ALLOWED_X86_64.values())
    steps = [(_LOAD_WORD, 0, 0, 4), (_JUMP_IF_EQUAL, 1, 0, _AUDIT_X86_64), (_RETURN, 0, 0, _KILL)]
    steps += [(_LOAD_WORD, 0, 0, 0)]
    steps += [(_JUMP_IF_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    steps += [(_RETURN, 0, 0, _KILL), (_RETURN, 0, 0, _ALLOW)]
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1) == 0 and _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header) == 0


def _prctl(option: int, *arguments: object) -> int:
    values = [
        ctypes.cast(value, ctypes.c_void_p) if isinstance(value, ctypes.Array) else ctypes.c_ulong(int(str(value)))
        for value in (*arguments, 0, 0, 0, 0)[:4]
    ]
    return int(ctypes.CDLL(None).prctl(option, *values))
