"""Every way to spoil HLO, StableHLO and jaxprs has a place in ordinary rows, and changes one thing there."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.mutants import MUTATIONS, spoiled
from irsmith.frontends.jax.mutants.jaxprs import MUTATIONS as OF_JAXPRS
from irsmith.frontends.jax.runner import Job, jaxprs, worker
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.rng import stream
from irsmith.verify.ports import COMPILE_ERROR

SOURCE = """
import jax
import jax.numpy as jnp
from jax import lax


def work(x, w, k, n):
    def body(i, acc):
        return acc * 0.9 + jnp.where(x[i] > 0.5, x[i] - acc, 0.3)

    total = lax.fori_loop(0, x.shape[0], body, jnp.zeros(8))
    gated = lax.cond(n > 2, lambda v: jnp.sin(v), lambda v: v / 3.0, total)
    mixed = (w @ w).T @ gated
    taken = jnp.cumsum(lax.slice(x, (1, 0), (4, 8)), axis=0) + jnp.max(x, axis=1)[k]
    return mixed, gated, jnp.mean(taken * mixed, axis=0)
"""


@pytest.fixture
def texts(make):
    f = "float32"
    given = [("x", f, (5, 8)), ("w", f, (8, 8)), ("k", "int32", (3, 1)), ("n", "int32", ())]
    kernel = make(SOURCE, "work", given, [(f, (8,))] * 3)
    return Pipeline(Recipe(frontend="jax")).lowered(kernel, 0, "row", None).texts


IN_HLO_ALONE = {"loop shortened"}
"""StableHLO has a loop's bound outside its condition, where it is another constant."""


@pytest.mark.parametrize("stage", ["hlo", pytest.param("stablehlo", marks=pytest.mark.slow)])
def test_every_mutation_has_a_place_and_changes_few_lines(texts, stage):
    jax = compiler.start()
    read = compiler.parsed if stage == "hlo" else compiler.parsed_stablehlo
    programs: Counter[str] = Counter()
    seen = set()
    for seed in range(12):
        for mutant in spoiled(texts, stage, backward=True, random=stream("mutants", seed)):
            before, after = texts[mutant.where].splitlines(), mutant.texts[mutant.where].splitlines()
            assert set(before) - set(after) == {line for line in before if line.strip() == mutant.line} - set(after)
            assert 0 <= len(after) - len(before) <= 3
            seen.add(mutant.mutation)
            with suppress(jax.errors.JaxRuntimeError):  # What is no program counts for nothing.
                spoiled_program, right = (compiler.canonical(read(t[mutant.where])) for t in (mutant.texts, texts))
                programs[mutant.mutation] += spoiled_program != right
    missing = set(MUTATIONS) - seen - (IN_HLO_ALONE if stage == "stablehlo" else set())
    assert not missing
    # Each makes programs of another meaning, not only texts that nothing reads.
    assert {name for name in seen if programs[name]} == seen


def test_every_way_to_spoil_a_jaxpr_has_a_place_and_other_types_are_no_program(texts):
    compiler.start()
    seen: Counter[str] = Counter()
    for seed in range(12):
        for mutant in spoiled(texts, "jaxpr", backward=True, random=stream("mutants", seed)):
            before, after = texts[mutant.where].splitlines(), mutant.texts[mutant.where].splitlines()
            assert sum(one != two for one, two in zip(before, after, strict=True)) == 1
            seen[mutant.mutation] += 1
            if mutant.mutation in ("another element type", "another shape"):
                text = mutant.texts[mutant.where]
                job = Job("jaxpr", text, jaxprs.parameters(text), ())
                symptom, message = worker.answer(job)[0]["failure"]
                assert symptom == COMPILE_ERROR, (mutant.mutation, mutant.line, message)
    # The function has no whole number as a power.
    assert set(OF_JAXPRS) - set(seen) == {"another power"}
    assert min(seen["another element type"], seen["another shape"]) == 24
