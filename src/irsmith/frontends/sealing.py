"""Taking from a process, for good, what it does not need to ask the system for: system calls filtered on Linux x86-64.

On other systems nothing is taken.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Collection

KILL, ALLOW = 0x80000000, 0x7FFF0000
_ERROR = 0x00050000
REFUSED = _ERROR | errno.EPERM
"""What comes of a call that is not allowed: an error that says that it is not permitted."""
_PR_SET_NO_NEW_PRIVS, _SECCOMP = 38, 317
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_AUDIT_X86_64 = 0xC000003E
_LOAD, _AND, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_OPEN, _CLONE, _OPENAT, _CLONE3 = 2, 56, 257, 435
_CLONE_THREAD = 0x10000
_CHANGES = 0o3 | 0o100 | 0o1000 | 0o20000000
"""Flags of an open file that is written to, made, emptied or has no name."""

THREADS_AND_READING = frozenset({
    0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 24, 25, 28, 32, 33, 35, 39, 60, 63, 79, 89, 96,
    97, 98, 99, 100, 102, 104, 107, 108, 131, 158, 186, 202, 204, 217, 218, 228, 229, 230, 231, 262, 267, 269, 273, 309,
    318, 324, 332, 334, 439,
})  # fmt: skip
"""Calls about memory, time, locks, signals to oneself, and files that are open or looked at. No socket, no signal to
others, no program, nothing that changes a file."""

_Step = tuple[int, int, int, int]


def possible() -> bool:
    """Whether this system has such filters."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def seal(allowed: Collection[int], *, otherwise: int = KILL, readers: bool = False) -> bool:
    """Let this process, in all its threads, make these system calls and no other, for good.

    Args:
        allowed: Their numbers.
        otherwise: What comes of another: the end of the process, or an error that the caller sees.
        readers: Whether files may be opened to be read, and threads begun.

    Returns:
        Whether the system can do that.
    """
    if not possible():
        return False
    steps: list[_Step] = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, _AUDIT_X86_64), (_RETURN, 0, 0, KILL)]
    steps += [(_LOAD, 0, 0, _NUMBER)]
    for number in sorted(allowed):
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, ALLOW)]
    if readers:
        denied = _RETURN, 0, 0, _ERROR | errno.EACCES
        for number, place in ((_OPEN, 1), (_OPENAT, 2)):
            steps += [(_EQUAL, 0, 5, number), (_LOAD, 0, 0, _ARGUMENTS + 8 * place), (_AND, 0, 0, _CHANGES)]
            steps += [(_EQUAL, 0, 1, 0), (_RETURN, 0, 0, ALLOW), denied]
        steps += [(_EQUAL, 0, 4, _CLONE), (_LOAD, 0, 0, _ARGUMENTS), (_ANY_BIT, 0, 1, _CLONE_THREAD)]
        steps += [(_RETURN, 0, 0, ALLOW), denied]
        # What it is asked for stands in memory, where a filter cannot look: the C library falls back to the other.
        steps += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]
    steps += [(_RETURN, 0, 0, otherwise)]
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
    c = ctypes.CDLL(None)
    if c.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return int(c.syscall(_SECCOMP, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(header))) == 0
