"""Programs of scalar code over threads, printed as functions over arrays."""

from __future__ import annotations

from irsmith.frontends.jax.printing.printer import print_program

__all__ = ["print_program"]
