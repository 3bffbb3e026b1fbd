"""Frames on pipes: how a runner and its worker processes speak.

What comes back from a worker is JSON and raw bytes, and every length in it is bounded before it is read:
nothing that compiled code could have written is ever unpickled.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import struct
import sys
import time
from typing import Any

_LENGTHS = struct.Struct("<IQ")
MAX_HEADER = 64 << 20
MAX_PAYLOAD = 16 << 30


class ClosedError(Exception):
    """The other side is gone, or wrote what is not a frame."""


class SilentError(Exception):
    """The other side wrote nothing for too long."""


_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the system end this process when the thread that started it ends, even while it hangs; on Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def read_exactly(descriptor: int, size: int, deadline: float | None = None) -> bytes:
    """Read from a pipe.

    Raises:
        ClosedError: It ends before.
        SilentError: `time.monotonic` reaches the deadline before.
    """
    pieces = bytearray()
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    while len(pieces) < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not poller.poll(left * 1000):
                raise SilentError
        piece = os.read(descriptor, min(size - len(pieces), 1 << 20))
        if not piece:
            raise ClosedError
        pieces += piece
    return bytes(pieces)


def write_all(descriptor: int, *pieces: bytes) -> None:
    """Write to a pipe.

    Raises:
        ClosedError: Nobody reads it any more.
    """
    for piece in pieces:
        view = memoryview(piece)
        while view:
            try:
                view = view[os.write(descriptor, view) :]
            except BrokenPipeError:
                raise ClosedError from None


def send(descriptor: int, header: Any, payload: bytes = b"") -> None:
    """Write one frame: a value that JSON can hold, and bytes."""
    text = json.dumps(header).encode()
    write_all(descriptor, _LENGTHS.pack(len(text), len(payload)), text, payload)


def receive(descriptor: int, deadline: float | None = None) -> tuple[Any, bytes]:
    """Read one frame.

    Raises:
        ClosedError: There is none, or it is broken.
        SilentError: It is not there in time.
    """
    header_size, payload_size = _LENGTHS.unpack(read_exactly(descriptor, _LENGTHS.size, deadline))
    if header_size > MAX_HEADER or payload_size > MAX_PAYLOAD:
        raise ClosedError
    text = read_exactly(descriptor, header_size, deadline)
    payload = read_exactly(descriptor, payload_size, deadline)
    try:
        return json.loads(text), payload
    except ValueError:
        raise ClosedError from None
