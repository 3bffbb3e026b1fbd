"""An S3-compatible server on loopback, on a folder."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = Path(sys.executable).with_name("localbucket")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder, whose folders are buckets, and give the options that stand behind an ``s3://`` URI."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder.parent / "s3.log").open("w") as log:
        server = subprocess.Popen([SERVER, "--port", str(port), folder], stdout=log, stderr=log)
        try:
            ended = time.monotonic() + 30
            while time.monotonic() < ended:
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"region=us-east-1&scheme=http&endpoint_override=127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()
