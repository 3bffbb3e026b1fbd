"""Running PTX on the CUDA device of this machine, in a worker that does nothing else.

The memory of a job's runs is laid out as for the host, guards included, and copied to the device and back. The
driver is called through NVIDIA's own bindings. After an error of the device a process can no longer use it, so
that whoever asked has to start another.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from irsmith.errors import UserError
from irsmith.frontends.warp.runner import unit
from irsmith.frontends.warp.runner.jobs import Failure, Job, Sets, Symptom
from irsmith.frontends.warp.runner.layout import Arena, arena

_DIRECTIONS = ("forward", "backward")


class DeviceError(Exception):
    """The driver refused a call; the message is the driver's name for it."""


class Device:
    """The first CUDA device.

    Raises:
        UserError: There is none, or its bindings are not installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("cuda") is None or importlib.util.find_spec("cuda.bindings") is None:
            raise UserError("device: running on CUDA needs cuda-bindings: pip install 'irsmith[cuda]'")
        from cuda.bindings import driver

        self._driver = driver
        try:
            self._call("cuInit", 0)
            device = self._call("cuDeviceGet", 0)
            self._call("cuCtxSetCurrent", self._call("cuDevicePrimaryCtxRetain", device))
        except (DeviceError, RuntimeError) as error:
            # The bindings raise a RuntimeError when there is no driver to load.
            raise UserError(f"device: no CUDA device can be used here: {str(error).splitlines()[0]}") from None

    def run(self, job: Job) -> bytes | Failure:
        """Run a job's image; the bytes are those that running on the host gives."""
        assert job.image is not None
        try:
            module = self._call("cuModuleLoadData", job.image.encode() + b"\0")
        except DeviceError as error:
            return Failure(Symptom.COMPILE_ERROR, f"the driver refused the PTX: {error}")
        sets: list[tuple[Sets, Sets | None] | None] = [None, None]
        if job.forward is not None:
            sets[0] = (job.forward, None)
        if job.backward is not None:
            sets[1] = (job.backward.primal, job.backward.adjoint)
        pieces = []
        try:
            for direction, given in zip(_DIRECTIONS, sets, strict=True):
                if given is None:
                    continue
                function = self._call("cuModuleGetFunction", module, f"{job.name}_cuda_kernel_{direction}".encode())
                memory = self._launched(job, function, *given)
                damage = memory.damage()
                if damage is not None:
                    return Failure(Symptom.OUT_OF_BOUNDS, f"{damage}, {direction}")
                pieces.append(memory.results())
            self._call("cuModuleUnload", module)
        except DeviceError as error:
            return Failure(Symptom.CRASHED, f"the device stopped the kernel: {error}")
        return b"".join(pieces)

    def _launched(self, job: Job, function: object, contents: Sets, adjoints: Sets | None) -> Arena:
        """The memory after one launch for each set."""
        addresses: list[int] = []

        def place(memory: np.ndarray) -> int:
            addresses.append(int(self._call("cuMemAlloc", max(memory.nbytes, 1))))
            return addresses[0]

        blocks, threads = unit.device_geometry(job)
        memory = arena(job, contents, adjoints, place)
        [address] = addresses
        host = memory.memory.ctypes.data
        self._call("cuMemcpyHtoD", address, host, memory.memory.nbytes)
        for (table,) in memory.calls:
            self._call("cuLaunchKernel", function, blocks, 1, 1, threads, 1, 1, 0, 0, table, 0)
        self._call("cuCtxSynchronize")
        self._call("cuMemcpyDtoH", host, address, memory.memory.nbytes)
        self._call("cuMemFree", address)
        return memory

    def _call(self, name: str, *arguments: object) -> Any:
        """Call the driver and give what it gives beside its status.

        Raises:
            DeviceError: The status is not success.
        """
        status, *values = getattr(self._driver, name)(*arguments)
        if status != self._driver.CUresult.CUDA_SUCCESS:
            raise DeviceError(f"{name}: {status.name}")
        return values[0] if values else None
