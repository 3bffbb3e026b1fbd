"""Lines that print: what they show, and that nothing else of a program changes."""

from __future__ import annotations

from dataclasses import replace

from irsmith.frontends.warp.printer import print_program
from irsmith.rng import stream
from irsmith.structure import describe
from irsmith.synth import Settings, synthesise
from irsmith.synth.augment import KINDS
from irsmith.synth.ir import If, Print
from irsmith.synth.phases.watching import watched


def test_a_line_prints_what_was_defined_before_it():
    shown = 0
    for index in range(60):
        program = synthesise(23, "warp", index, Settings(categories=(("multi_statement", 1.0),)))
        seen = watched(program, stream(3, index))
        added = [s for s in seen.body if s not in program.body]
        assert len(added) <= 1
        for statement in added:
            shown += 1
            line = statement.then[0] if isinstance(statement, If) else statement
            assert isinstance(line, Print)
            assert replace(seen, body=tuple(s for s in seen.body if s is not statement)) == program
            lines = print_program(seen).source.splitlines()
            place = next(n for n, text in enumerate(lines) if "wp.printf(" in text or "    print(" in text)
            name = line.values[-1].name
            assert any(text.lstrip().startswith(f"{name} = ") for text in lines[:place])
    assert shown > 40


def test_renaming_reaches_the_text_that_is_printed():
    for index in range(20):
        program = synthesise(23, "warp", index, Settings(categories=(("multi_statement", 1.0),)))
        seen = watched(program, stream(4, index))
        renamed = KINDS["rename"](seen, stream(1, index))
        before, after = print_program(seen), print_program(renamed)
        assert describe(before.source, before.name).structure_id == describe(after.source, after.name).structure_id
        for line in after.source.splitlines():
            if "wp.printf(" in line:
                assert line.rpartition(", ")[2].rstrip(")") in line.partition('"')[2].partition('"')[0]
