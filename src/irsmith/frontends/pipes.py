"""Worker processes, and how those who start them speak with them: requests one way, frames the other.

Requests are pickled, each behind its size. What comes back from a worker is JSON and raw bytes, and every length in it
is bounded before it is read: nothing that compiled code could have written is ever unpickled.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from irsmith.frontends.patience import Patience

_LENGTHS = struct.Struct("<IQ")
_SIZE = struct.Struct("<Q")
MAX_HEADER = 64 << 20
MAX_PAYLOAD = 16 << 30
_LOOK_SECONDS = 0.1


class ClosedError(Exception):
    """The other side is gone, or wrote what is not a frame."""


class SilentError(Exception):
    """The other side wrote nothing for too long."""


_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the system end this process when the thread that started it ends, even while it hangs; on Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def read_exactly(descriptor: int, size: int, patience: Patience | None = None) -> bytes:
    """Read from a pipe.

    Raises:
        ClosedError: It ends before.
        SilentError: Patience with who writes is over before.
    """
    pieces = bytearray()
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    while len(pieces) < size:
        while patience is not None and not poller.poll(_LOOK_SECONDS * 1000):
            if patience.over(_LOOK_SECONDS):
                raise SilentError
        piece = os.read(descriptor, min(size - len(pieces), 1 << 20))
        if not piece:
            raise ClosedError
        pieces += piece
    return bytes(pieces)


def write_all(descriptor: int, *pieces: bytes, patience: Patience | None = None) -> None:
    """Write to a pipe.

    Raises:
        ClosedError: Nobody reads it any more.
        SilentError: Patience with who reads is over.
    """
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    for piece in pieces:
        view = memoryview(piece)
        while view:
            while patience is not None and not poller.poll(_LOOK_SECONDS * 1000):
                if patience.over(_LOOK_SECONDS):
                    raise SilentError
            try:
                # A pipe that may be written to has room for so much, and a larger piece may wait for ever.
                view = view[os.write(descriptor, view if patience is None else view[: select.PIPE_BUF]) :]
            except BrokenPipeError:
                raise ClosedError from None


def send(descriptor: int, header: Any, payload: bytes = b"") -> None:
    """Write one frame: a value that JSON can hold, and bytes."""
    text = json.dumps(header).encode()
    write_all(descriptor, _LENGTHS.pack(len(text), len(payload)), text, payload)


def receive(descriptor: int, patience: Patience | None = None, most: int = MAX_PAYLOAD) -> tuple[Any, bytes]:
    """Read one frame, with a payload of so many bytes at most.

    Raises:
        ClosedError: There is none, or it is broken.
        SilentError: It is not there in time.
    """
    header_size, payload_size = _LENGTHS.unpack(read_exactly(descriptor, _LENGTHS.size, patience))
    if header_size > MAX_HEADER or payload_size > most:
        raise ClosedError
    text = read_exactly(descriptor, header_size, patience)
    payload = read_exactly(descriptor, payload_size, patience)
    try:
        return json.loads(text), payload
    except (ValueError, RecursionError):
        raise ClosedError from None


class Child:
    """A process of a module of irsmith that answers requests. Who starts it ends it, with `stop`.

    Args:
        module: What it runs, as ``python -m`` does.
        words: Its arguments.
        environment: Variables that it has besides those of this process.
    """

    def __init__(self, module: str, *words: str, environment: Mapping[str, str] | None = None) -> None:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._requests, self._answers = process, process.stdin, process.stdout

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process has come to its end."""
        return self._process.poll() is not None

    @property
    def spoke(self) -> bool:
        """Whether it has written something that nobody has read."""
        return bool(select.select([self._answers], [], [], 0)[0])

    def ask(self, request: object, seconds: float | None = None) -> None:
        """Send a request, which `asked` reads over there.

        Args:
            request: What to send.
            seconds: What the process may take to read it, as `Patience` counts it; None for ever.

        Raises:
            ClosedError: The process is gone.
            SilentError: It does not read in time.
        """
        message = pickle.dumps(request, protocol=5)
        patience = None if seconds is None else Patience(self.pid, seconds)
        write_all(self._requests.fileno(), _SIZE.pack(len(message)), message, patience=patience)

    def answer(self, seconds: float, most: int = MAX_PAYLOAD) -> tuple[Any, bytes]:
        """The next frame.

        Args:
            seconds: What the process may take, as `Patience` counts it.
            most: Bytes that its payload may have.

        Raises:
            ClosedError: The process is gone, or wrote something else.
            SilentError: It is not there in time.
        """
        return receive(self._answers.fileno(), Patience(self.pid, seconds), most)

    def wait(self) -> int:
        """The process's exit status, once it has one; the negative number of the signal that ended it."""
        return self._process.wait()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def asked(descriptor: int) -> Any:
    """The next request, in the process that `Child` started.

    Raises:
        ClosedError: There is none any more.
    """
    (size,) = _SIZE.unpack(read_exactly(descriptor, _SIZE.size))
    return pickle.loads(read_exactly(descriptor, size))


def silence() -> None:
    """Let this process's standard streams lead nowhere: what it lowers or imports may read and print."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1, 2):
        os.dup2(nothing, target)
    os.close(nothing)


def kept_apart() -> tuple[int, int]:
    """Where requests come from and answers go to, which were the standard streams; those lead nowhere from now on."""
    requests, output = os.dup(0), os.dup(1)
    silence()
    return requests, output
