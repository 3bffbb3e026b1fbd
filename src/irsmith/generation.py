"""Generate a dataset: run a recipe's shards, watch its rejects, finish its folder."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from irsmith.dataset import shard
from irsmith.dataset.folder import claimed, finish, finished, tasks
from irsmith.dataset.jsonl import write_jsonl
from irsmith.dataset.manifest import Manifest, toolchain
from irsmith.dataset.shard import Shard, rejects_file
from irsmith.engines import local
from irsmith.errors import StoppedError, UserError
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe

ENOUGH = 500
"""Kernels tried before the share of rejects decides anything."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        tried: Indices done, those of finished shards of an earlier run included.
        count: Indices to do.
        resumed: Indices that an earlier run had done.
        rejects: Rejects by reason in finished shards.
        seconds: Since this run began.
    """

    tried: int
    count: int
    resumed: int
    rejects: dict[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run made.

    Attributes:
        out: The dataset's folder.
        manifest: What is in it.
        resumed: Indices that an earlier run had done.
        seconds: What this run took.
    """

    out: Path
    manifest: Manifest
    resumed: int
    seconds: float


def generate(
    recipe: Recipe,
    out: str | os.PathLike[str],
    *,
    workers: int | None = None,
    overwrite: bool = False,
    jsonl: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Make the dataset of a recipe in a folder, or complete the one that an earlier run began there.

    Args:
        recipe: Everything that decides the content.
        out: The folder, made if need be.
        workers: Worker processes; by default one a processor. They do not change the content.
        overwrite: Replace another recipe's dataset that the folder holds.
        jsonl: Write the rows as ``dataset.jsonl`` too.
        on_progress: Called a few times a second.

    Raises:
        UserError: The folder, the frontend or a setting cannot be used.
        StoppedError: Rejects passed the recipe's bound, or a worker died twice on one shard. What was
            finished stays, and the same call goes on from there.
    """
    root = Path(out)
    if workers is not None and workers < 1:
        raise UserError(f"workers: {workers} is not a positive number: give 1 or more")
    pipeline = Pipeline(recipe)
    # Asked for early: without its frontend a run must not touch the folder.
    versions = toolchain(pipeline.frontend)
    pipeline.require_device()
    began = time.monotonic()
    try:
        with claimed(root, recipe, versions, overwrite=overwrite):
            done = finished(root, recipe)
            resumed = sum(item.tried for item in done.values())
            bound = RejectBound(recipe, root)
            for item in done.values():
                bound.add(item)
            todo = [task for task in tasks(root, recipe) if task.first not in done]

            def report(in_hand: int = 0) -> None:
                tried = sum(item.tried for item in done.values()) + in_hand
                on_progress(Progress(tried, recipe.count, resumed, bound.reasons, time.monotonic() - began))

            report()
            for task, item in local.run(shard.make, todo, workers or os.cpu_count() or 1, report):
                done[task.first] = item
                bound.add(item)
                report()
            bound.complete()
            manifest = finish(root, recipe, versions, done.values())
            if jsonl:
                write_jsonl(root)
    except OSError as error:
        raise UserError(f"{error.filename or root}: {error.strerror}") from error
    return Summary(root, manifest, resumed, time.monotonic() - began)


@dataclass(slots=True)
class RejectBound:
    """Stops a run of which too much is rejected, decided in index order whatever the order of finishing."""

    recipe: Recipe
    root: Path
    reasons: dict[str, int] = field(default_factory=dict)
    _waiting: dict[int, Shard] = field(default_factory=dict)
    _next: int = 0
    _rejected: int = 0
    _rows: int = 0

    def add(self, item: Shard) -> None:
        """Take a finished shard into account.

        Raises:
            StoppedError: The share of rejects passed the bound at an index of it, or of one that waited for it.
        """
        self.reasons = dict(Counter(self.reasons) + Counter(item.reasons))
        self._waiting[item.first] = item
        while self._next in self._waiting:
            ready = self._waiting.pop(self._next)
            self._decide(ready)
            self._next += ready.tried
            self._rows += ready.rows

    def _decide(self, item: Shard) -> None:
        end = item.first + item.tried
        rejected = iter((*item.rejected, end))
        following = next(rejected)
        # The share can only pass the bound at a reject, or when the first 500 are full.
        checkpoints = sorted({*item.rejected, ENOUGH - 1} & set(range(item.first, end)))
        for index in checkpoints:
            while following <= index:
                self._rejected += 1
                following = next(rejected)
            tried = index + 1
            if tried >= ENOUGH and self._rejected > self.recipe.max_reject_share * tried:
                self._stop(f"{self._rejected} of the first {tried} kernels were rejected", item)
        self._rejected += sum(1 for index in (following, *rejected) if index < end)

    def complete(self) -> None:
        """Check a run that is through.

        Raises:
            StoppedError: Nothing but rejects came out.
        """
        if self._rows == 0:
            self._stop(f"all {self._rejected} kernels were rejected", None)

    def _stop(self, what: str, item: Shard | None) -> None:
        reason, times = max(self.reasons.items(), key=lambda pair: (pair[1], pair[0]))
        share = self.recipe.max_reject_share
        firsts = range(0, self.recipe.count, self.recipe.shard_size) if item is None else (item.first, 0)
        raise StoppedError(
            f"{what} (bound {share:.1%}); most often {reason} ({times} times)"
            + _example(self.root, self.recipe.frontend, firsts, reason)
            + f"; all of them: {self.root / 'rejects'}"
        )


def _example(root: Path, frontend: str, firsts: Iterable[int] | Sequence[int], reason: str) -> str:
    for first in firsts:
        path = root / rejects_file(frontend, first)
        if not path.exists():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            reject = json.loads(line)
            if f"{reject['step']}: {reject['symptom']}" == reason:
                message = " ".join(reject["message"].split())
                return f", for example index {reject['index']}: {message[:300]}"
    return ""
