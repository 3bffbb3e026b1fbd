"""Generate a dataset: run a recipe's shards, watch its rejects, finish its folder."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from irsmith import engines, files, real
from irsmith.dataset import shard
from irsmith.dataset.assemble import assemble, delivered, duplicates
from irsmith.dataset.folder import claimed, clear_beyond, finish, finished, holds, tasks
from irsmith.dataset.jsonl import FILE as JSONL
from irsmith.dataset.jsonl import write_jsonl
from irsmith.dataset.load import load
from irsmith.dataset.manifest import Manifest
from irsmith.dataset.parts import rejects_file
from irsmith.dataset.shard import Shard, Task
from irsmith.dataset.target import Target, next_round
from irsmith.dataset.target import of as target_of
from irsmith.engines import Run
from irsmith.engines.each import here
from irsmith.errors import StoppedError, UserError, check_positive
from irsmith.pipeline import Pipeline
from irsmith.places import Place, Remote, place
from irsmith.real import Gathered
from irsmith.recipe import Recipe

ENOUGH = 500
"""Kernels tried before the share of rejects, or of repeats, decides anything."""
SLOWEST = 0.02
"""A round whose kernels fill less than this share of what the kernels before them filled, each, is the last."""


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

    out: Place
    manifest: Manifest
    resumed: int
    seconds: float


def generate(
    recipe: Recipe,
    out: str | os.PathLike[str] | Remote,
    *,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
    overwrite: bool = False,
    jsonl: bool = False,
    given: Gathered | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Make the dataset of a recipe in a folder, or complete the one that an earlier run began there.

    Args:
        recipe: Everything that decides the content.
        out: The folder, made if need be: a path, or the URI of one on a remote filesystem, such as
            ``s3://bucket/dataset``.
        workers: Worker processes; by default one a processor. They do not change the content.
        engine: What runs the shards, a name of `irsmith.engines.TABLE`. It does not change the content.
        address: Where the engine's cluster is; by default it is this machine.
        overwrite: Replace another recipe's dataset that the folder holds.
        jsonl: Write the rows as ``dataset.jsonl`` too.
        given: The kernels of a recipe of kernels that people wrote; by default those that the folder holds.
        on_progress: Called a few times a second.

    Raises:
        UserError: The folder, the frontend or a setting cannot be used.
        StoppedError: Rejects passed the recipe's bound, a worker died twice on one shard, or hardly any kernel is
            new. What was finished stays, and the same call goes on from there.
    """
    root = place(out)
    if recipe.real.kernels and given is None:
        given = real.read(root, recipe.real.kernels)
    run = _Run(recipe, root, _Means(engine, workers, address), on_progress, given)
    return run.complete(overwrite=overwrite, growing=False, jsonl=jsonl)


def append(
    out: str | os.PathLike[str] | Remote,
    count: int,
    *,
    recipe: Recipe | None = None,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
    jsonl: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Add the next indices to a finished dataset. No part file that it has is touched.

    Until it is done the folder holds the dataset that it held. The same call goes on with what was interrupted.

    Args:
        out: The dataset's folder.
        count: How many indices.
        recipe: Must be the dataset's own but for its extent and version; by default it is.
        workers: Worker processes; by default one a processor. They do not change the content.
        engine: What runs the shards, a name of `irsmith.engines.TABLE`.
        address: Where the engine's cluster is; by default it is this machine.
        jsonl: Write the rows as ``dataset.jsonl`` too.
        on_progress: Called a few times a second.

    Raises:
        UserError: There is no finished dataset that this recipe and toolchain made, or a setting cannot be used.
        StoppedError: As for `generate`.
    """
    root = place(out)
    check_positive("count", count)
    dataset = load(root)
    if dataset.manifest.derived is not None:
        raise UserError(f"{root}: was made by `irsmith {dataset.manifest.derived.command}`: append to its source")
    if dataset.recipe.real.kernels:
        raise UserError(f"{root}: holds kernels that people wrote: harvest others into another folder, and merge")
    wanted, end = recipe or dataset.recipe, dataset.manifest.end
    grown = tuple(sorted({*(earlier for earlier in dataset.recipe.grown if earlier < end), end}))
    extent = {"count": end + count, "verified": None, "size": None, "grown": grown}
    run = _Run(
        replace(wanted, **extent),  # type: ignore[arg-type]
        root,
        _Means(engine, workers, address),
        on_progress,
    )
    return run.complete(overwrite=False, growing=True, jsonl=jsonl)


@dataclass(frozen=True, slots=True)
class _Means:
    """What runs the shards: an engine, its workers, and where it is."""

    engine: str
    workers: int | None
    address: str | None

    def __post_init__(self) -> None:
        check_positive("workers", self.workers)


class _Run:
    """One run of a recipe in a folder."""

    def __init__(
        self,
        recipe: Recipe,
        root: Place,
        means: _Means,
        on_progress: Callable[[Progress], None],
        given: Gathered | None = None,
    ) -> None:
        self.recipe, self.root, self.means, self.on_progress = recipe, root, means, on_progress
        self.given = given
        # Asked for early: without its frontend a run must not touch the folder.
        pipeline = Pipeline(recipe)
        self.versions = pipeline.versions
        pipeline.require_device()
        self.target = target_of(recipe, root, self.versions)
        self.began = time.monotonic()
        self.done: dict[int, Shard] = {}
        self.tried = 0
        self.bound = RejectBound(recipe, root)
        self.resumed = 0
        self.run: Run = here
        self.still: Callable[[], None] = lambda: None

    def complete(self, *, overwrite: bool, growing: bool, jsonl: bool) -> Summary:
        """Make what is missing, put it together, and finish the folder."""
        try:
            with (
                engines.opened(self.means.engine, self.means.workers, self.means.address) as run,
                claimed(self.root, self.recipe, self.versions, overwrite=overwrite, growing=growing) as still,
            ):
                self.run, self.still = run, still
                if self.given is not None:
                    files.write_text(self.root / real.FILE, self.given.text())
                known = None if growing else self._known_end()
                if self.recipe.count is not None:
                    self._make(self.recipe.count)
                elif known is not None:
                    self._make(known)
                elif self.target is not None:
                    self._fill(self.target)
                self.bound.complete()
                shards = assemble(self.root, self._shards(), run)
                clear_beyond(self.root, self.recipe, shards)
                still()
                origins = self.given.origins if self.given is not None else ()
                manifest = finish(self.root, self.recipe, self.versions, shards, origins)
                # One that stands there would hold what the dataset held before.
                if jsonl or (self.root / JSONL).exists():
                    write_jsonl(self.root)
        except OSError as error:
            raise UserError(f"{error.filename or self.root}: {error.strerror or error}") from error
        return Summary(self.root, manifest, self.resumed, time.monotonic() - self.began)

    def _known_end(self) -> int | None:
        """Where a target was reached, if this dataset was finished before."""
        held = holds(self.root)
        return held.end if held is not None else None

    def _shards(self) -> list[Shard]:
        return [self.done[first] for first in sorted(self.done)]

    def _make(self, end: int) -> None:
        """Make the shards up to an index that are not on disk."""
        for item in finished(self.root, self.recipe, end, self.done):
            self.resumed += item.tried
            self._take(item)

        def report(in_hand: int = 0) -> None:
            self.still()
            tried = self.tried + in_hand
            self.on_progress(Progress(tried, end, self.resumed, self.bound.reasons, time.monotonic() - self.began))

        report()
        wanted = tasks(self.root, self.recipe, end, self.versions)
        todo = (task for task in wanted if task.first not in self.done)
        for _, item in self.run(shard.make, todo, report):
            self._take(item)
            report()

    def _take(self, item: Shard) -> None:
        """Take a shard that is done into account.

        Raises:
            StoppedError: The share of rejects passed the bound.
        """
        self.done[item.first] = item
        self.tried += item.tried
        self.bound.add(item)

    def _fill(self, target: Target) -> None:
        """Make shards until what they deliver fills a target, and end where it is filled.

        How far a round goes follows from what earlier ones delivered, so that it is the same in every run.
        """
        tried, full = 0, 0.0
        while True:
            before, tried = tried, next_round(self.recipe, tried, full)
            self._make(tried)
            shards = self._shards()
            earlier = full
            full, end = target.reached(delivered(self.root, shards, duplicates(self.root, shards, self.run)))
            if end is not None:
                break
            yields, used_to = (full - earlier) / (tried - before), earlier / max(before, 1)
            if tried >= ENOUGH and before and yields <= SLOWEST * used_to:
                raise StoppedError(
                    f"{tried} kernels fill {full:.1%} of the target and the last {tried - before} hardly any of it: "
                    "they repeat earlier structures: ask for less, or for more categories"
                )
        self.done = {first: item for first, item in self.done.items() if first < end}
        last = self.done[max(self.done)]
        if end < last.end:
            # A shard is a function of its range: the one in which the target is reached is made to end there.
            del self.done[last.first]
            shorter = Task(self.recipe, self.root, last.first, end, tuple(self.versions.items()))
            [(_, short)] = self.run(shard.make, [shorter], lambda _: None)
            self.done[last.first] = short


@dataclass(slots=True)
class RejectBound:
    """Stops a run of which too much is rejected, decided in index order whatever the order of finishing."""

    recipe: Recipe
    root: Place
    reasons: dict[str, int] = field(default_factory=dict)
    _waiting: dict[int, Shard] = field(default_factory=dict)
    _firsts: set[int] = field(default_factory=set)
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
        self._firsts.add(item.first)
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
        firsts = sorted(self._firsts) if item is None else (item.first, 0)
        raise StoppedError(
            f"{what} (bound {share:.1%}); most often {reason} ({times} times)"
            + _example(self.root, self.recipe.config, firsts, reason)
            + f"; all of them: {self.root / 'rejects'}"
        )


def _example(root: Place, config: str, firsts: Iterable[int] | Sequence[int], reason: str) -> str:
    for first in firsts:
        path = root / rejects_file(config, first)
        if not path.exists():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            reject = json.loads(line)
            if f"{reject['step']}: {reject['symptom']}" == reason:
                message = " ".join(reject["message"].split())
                return f", for example index {reject['index']}: {message[:300]}"
    return ""
