"""Phases that are given up leave no trace."""

from __future__ import annotations

from irsmith.rng import stream
from irsmith.synth.algebra import Algebra
from irsmith.synth.errors import Discard
from irsmith.synth.phases import functions
from irsmith.synth.sketch import Sketch
from irsmith.synth.style import draw_style
from irsmith.synth.themes import THEMES
from irsmith.types import FLOAT32, INT32


def sketch() -> Sketch:
    rng = stream(3, "sketch")
    return Sketch(rng, THEMES.draw(rng), draw_style(rng), Algebra(FLOAT32, INT32, {}), 3, 20)


def test_a_helper_that_was_given_up_is_not_called_later():
    s = sketch()
    values = [s.load("f"), s.load("f")]
    functions.write(s, values)
    # As helpers that take records, rows or any type are: nobody else may call them.
    s.contracts.clear()

    def given_up() -> None:
        functions.write(s, values)
        raise Discard("test")

    assert not s.attempt(given_up)
    assert len(s.helpers) == 1
    assert not s.contracts
