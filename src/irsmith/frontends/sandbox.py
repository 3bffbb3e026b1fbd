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

import os
import resource

from irsmith.frontends import pipes, sealing

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
    pipes.end_with_parent()


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
    pipes.end_with_parent()


def _set(what: int, value: int, grace: int = 0) -> None:
    hard = resource.getrlimit(what)[1]
    soft, most = (bound if hard == resource.RLIM_INFINITY else min(bound, hard) for bound in (value, value + grace))
    resource.setrlimit(what, (soft, most))


def seal() -> bool:
    """Let this process make no system call but a few, for good. Say whether the system can do that."""
    return sealing.seal(_ALLOWED_X86_64.values())


def seal_reader() -> bool:
    """As `seal`, but the process may open files to read them and begin threads; what else it asks for is refused."""
    return sealing.seal(sealing.THREADS_AND_READING, otherwise=sealing.REFUSED, readers=True)
