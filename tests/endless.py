"""C++ that Clang does not come to the end of."""

from __future__ import annotations

MACROS = "\n".join(
    [
        "#define a0 x+x+x+x+x+x+x+x",
        *(f"#define a{n} " + "+".join([f"a{n - 1}"] * 8) for n in range(1, 12)),
    ]
)
SUM = "a11"
"""With the macros, a sum of 8 to the power of 12 terms ``x``."""
