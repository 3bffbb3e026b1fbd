"""What a JAX source means, executed without JAX; see `irsmith.frontends.jax.reference.reference`."""

from __future__ import annotations

from irsmith.frontends.jax.reference.reference import Reference

__all__ = ["Reference"]
