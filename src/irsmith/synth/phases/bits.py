"""The bits of a float: what people read of its exponent, its mantissa, or all of them at once."""

from __future__ import annotations

from irsmith.synth.algebra import whole
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr, Span
from irsmith.synth.sketch import Sketch
from irsmith.types import FLOAT32, INT32

_NAMES = ("bits", "raw", "word", "ix")


def of_float(s: Sketch) -> None:
    """Read the bits of an input as a whole number; what is made of them is in scope and unread.

    Raises:
        Discard: There is no input in single precision.
    """
    rng = s.rng
    inputs = [value for value in s.pool if value.op == "index" and value.type is FLOAT32]
    if not inputs:
        raise Discard("bits")
    value = rng.pick(inputs)
    s.read(value)
    held = Expr("bits", "i", INT32, Span(-(2.0**31), 2.0**31, -(2.0**30), 2.0**30), (value,))
    bits = s.define(held, s.names_free(_NAMES), keep=False)

    def step(word: str, a: Expr, number: int, span: Span) -> Expr:
        return Expr(word, "i", INT32, span, (a, whole(number)))

    wide = held.span
    form = rng.pick(("exponent", "bucket", "low", "mixed"))
    if form == "exponent":
        biased = step("and", step("shr", bits, 23, wide), 255, Span(0, 255, 120, 130))
        s.define(step("sub", biased, 127, Span(-127, 128, -6, 3)), s.names_free(("exponent", "e", "power_of_two")))
    elif form == "low":
        count = rng.pick((3, 7, 15))
        s.define(step("and", bits, count, Span(0, count, 0, count)), s.names_free(("low_bits", "tag", "slot")))
    else:
        folded = bits
        if form == "mixed":
            other = step("shr", bits, rng.pick((13, 15, 16)), wide)
            folded = s.define(
                Expr("xor", "i", INT32, wide, (bits, other)), s.names_free(("h", "hash_val", "mixed")), keep=False
            )
        count = rng.pick((7, 15, 31, 63))
        shifted = step("shr", folded, rng.pick((8, 12, 16)), wide)
        s.define(
            step("and", shifted, count, Span(0, count, count // 4, 3 * count // 4)),
            s.names_free(("bucket", "key", "cell_id")),
        )
