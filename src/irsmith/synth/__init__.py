"""Synthesis of kernels: a typed grammar over a program form that any frontend can print.

`synthesise` maps a key to a `Program`. Every expression carries bounds on its value, so that what is grown is
legal without guards; every value made is read; both sides of every branch are within reach.
"""

from __future__ import annotations

from irsmith.synth.augment import Augment
from irsmith.synth.categories import ALIASES, CATEGORIES
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Program
from irsmith.synth.synthesis import GENERATOR_VERSION, Settings, Sizes, synthesise

__all__ = [
    "ALIASES",
    "CATEGORIES",
    "GENERATOR_VERSION",
    "Augment",
    "Discard",
    "Program",
    "Settings",
    "Sizes",
    "synthesise",
]
