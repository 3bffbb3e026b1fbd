"""The stages of Warp: C++ for the CPU, CUDA C++ for the GPU, each as Warp's own JIT writes it, and the CUDA's PTX.

The order of the parts is the order of the compiled unit.
"""

from __future__ import annotations

from irsmith.frontends.base import Part, Stage

_HEADER = Part("header", "preprocessor lines that the unit starts with", scaffold=True)
_STRUCTS = Part("structs", "the kernel's structs with their adjoint helpers", scaffold=True)
_FUNCTIONS_FORWARD = Part("functions_forward", "`@wp.func` helpers")
_FUNCTIONS_BACKWARD = Part("functions_backward", "adjoints of the helpers", backward=True)
_FUNCTIONS_GRAD = Part(
    "functions_grad", "where `wp.grad` is called: the adjoints of all helpers, then the helpers that call it"
)
_FORWARD = Part("forward", "the kernel")
_BACKWARD = Part("backward", "the kernel's adjoint", backward=True)

CPP = Stage(
    "cpp",
    "cpp",
    (
        _HEADER,
        _STRUCTS,
        _FUNCTIONS_FORWARD,
        _FUNCTIONS_BACKWARD,
        _FUNCTIONS_GRAD,
        Part("arguments", "the struct that carries the kernel's arguments", scaffold=True),
        _FORWARD,
        _BACKWARD,
        Part("entry_forward", "the loop over threads and the exported symbol that runs the kernel", scaffold=True),
        Part("entry_backward", "the same for the adjoint", backward=True, scaffold=True),
    ),
    proves=True,
)

CUDA = Stage(
    "cuda",
    "cuda",
    (_HEADER, _STRUCTS, _FUNCTIONS_FORWARD, _FUNCTIONS_BACKWARD, _FUNCTIONS_GRAD, _FORWARD, _BACKWARD),
    proves=True,
)

PTX = Stage(
    "ptx",
    "ptx",
    (
        Part("header", "the version of PTX, the target architecture and the size of addresses", scaffold=True),
        Part("globals_forward", "tables, shared memory and helpers that the kernel refers to"),
        Part("globals_backward", "those that only its adjoint refers to", backward=True),
        _FORWARD,
        _BACKWARD,
    ),
    default=False,
    of=CUDA.name,
)
