"""Find out what works on this machine, by trying it."""

from __future__ import annotations

from dataclasses import dataclass

from irsmith import frontends
from irsmith.errors import UserError
from irsmith.outcome import Reject
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found of one frontend.

    Attributes:
        frontend: Its name.
        problem: Why it cannot be used, with what to install; empty when it can.
        versions: What lowers, by distribution name.
        accelerator: The device that it would run on beside the CPU, if any.
        stages: Stage to what is wrong with it; empty when it works.
    """

    frontend: str
    problem: str
    versions: dict[str, str]
    accelerator: str | None
    stages: dict[str, str]


def examine() -> list[Examined]:
    """Try every frontend that irsmith knows, and every stage of those that load."""
    return [_examine(name) for name in frontends.TABLE]


def _examine(name: str) -> Examined:
    frontend = frontends.get(name)
    try:
        versions = frontend.toolchain()
    except UserError as error:
        return Examined(name, str(error), {}, None, {})
    stages = {}
    for stage in frontend.stages:
        outcome = Pipeline(Recipe(frontend=name, stages=(stage.name,), verify="none")).row(0)
        stages[stage.name] = outcome.message if isinstance(outcome, Reject) else ""
    return Examined(name, "", versions, frontend.accelerator(), stages)
