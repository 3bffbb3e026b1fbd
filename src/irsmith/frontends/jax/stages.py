"""The stages of JAX: what it traces, what it hands to XLA, and what XLA makes of it.

The backward of every stage is that of the function's vector-Jacobian product: it takes the arguments and a
cotangent for each float result, and gives a gradient for each float argument.
"""

from __future__ import annotations

from irsmith.frontends.base import Part, Stage


def _stage(name: str, language: str, what: str, *, default: bool = True, proves: bool = False) -> Stage:
    parts = (
        Part("forward", f"{what} of the function"),
        Part("backward", f"{what} of its vector-Jacobian product", backward=True),
    )
    return Stage(name, language, parts, default, joined=False, proves=proves)


JAXPR = _stage("jaxpr", "jaxpr", "the jaxpr")
STABLEHLO = _stage("stablehlo", "mlir", "the StableHLO module", proves=True)
HLO = _stage("hlo", "hlo", "the HLO module, before XLA's passes,", proves=True)
HLO_OPTIMIZED = _stage("hlo_optimized", "hlo", "the HLO module, after XLA's passes for one CPU core,")

EXPORTS = {
    platform: _stage(f"stablehlo_{platform}", "mlir", f"the StableHLO module exported for {platform}", default=False)
    for platform in ("cuda", "rocm", "tpu")
}
"""By platform, what `jax.export` makes for a device that need not be here."""

STAGES = (JAXPR, STABLEHLO, HLO, HLO_OPTIMIZED, *EXPORTS.values())
