"""HLO and StableHLO texts compiled for the CPU and run, in a process of their own."""

from __future__ import annotations

from irsmith.frontends.jax.runner.jobs import Comparison, Job, Limits
from irsmith.frontends.jax.runner.pool import Runner

__all__ = ["Comparison", "Job", "Limits", "Runner"]
