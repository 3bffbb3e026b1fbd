"""Make a dataset of the kernels that packages and folders hold: find, take out, and then as any other recipe."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from irsmith import licence
from irsmith.errors import UserError
from irsmith.frontends import get
from irsmith.generation import Progress, Summary, generate
from irsmith.harvest import target as targets
from irsmith.harvest.importing import Found, Imported, imported
from irsmith.harvest.target import Target
from irsmith.kernel import Kernel, Provenance
from irsmith.outcome import Reject, Step
from irsmith.real import Gathered, Origin, Real
from irsmith.recipe import Recipe


def harvest(
    what: Sequence[str],
    out: str | os.PathLike[str],
    *,
    recipe: Recipe | None = None,
    sample: int | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    on_module: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Make a dataset of every kernel of some packages, wheels or folders.

    Their modules are imported, and so executed, in a process with limits; see `irsmith.harvest.importing`.

    Args:
        what: Installed packages, wheels or folders of sources.
        out: The dataset's folder, made if need be. A run that was interrupted there goes on.
        recipe: What is made of the kernels, and which licences are allowed.
        sample: How many of what was found to make rows of, the same ones each time; by default all.
        workers: Worker processes; by default one a processor. They do not change the content.
        overwrite: Replace another recipe's dataset that the folder holds.
        on_module: Called with the name of each module before it is imported.
        on_progress: Called a few times a second while rows are made.

    Raises:
        UserError: Something named cannot be found, holds no kernel that may be taken, or the folder cannot be used.
        StoppedError: Taking the kernels out ended the process, a worker died twice, or no kernel became a row.
    """
    recipe = recipe or Recipe()
    get(recipe.frontend).toolchain()
    found = gather(what, recipe, on_module)
    if sample is not None:
        found = found.sampled(sample)
    wanted = replace(
        recipe,
        count=len(found.items),
        categories=(),
        # Whatever cannot be lowered is said; it is no sign that something is wrong here.
        max_reject_share=1.0,
        real=replace(recipe.real, kernels=found.digest(), packages=tuple(origin.title for origin in found.origins)),
    )
    return generate(wanted, out, workers=workers, overwrite=overwrite, given=found, on_progress=on_progress)


def gather(what: Sequence[str], recipe: Recipe, on_module: Callable[[str], None] = lambda _: None) -> Gathered:
    """Import what a user names, and take the kernels out.

    Raises:
        UserError: Something cannot be found, or is named twice, or there is no kernel that may be taken.
        StoppedError: Taking the kernels out ended the process.
    """
    origins: list[Origin] = []
    items: list[Kernel | Reject] = []
    earlier: dict[tuple[str, str], str] = {}
    for name in dict.fromkeys(what):
        with targets.opened(name) as target:
            if any(origin.package == target.name for origin in origins):
                raise UserError(f"{name}: {target.name} is named twice: all of a package is one target")
            result = imported(target, recipe.frontend, on_module)
            named = [_named(item, target) for item in result.kernels]
            origins.append(_origin(target, result, named))
            items += _once((_permitted(item, stated, recipe.real) for item, stated in named), earlier)
    if not any(isinstance(item, Kernel) for item in items):
        raise UserError(f"{', '.join(what)}: no {recipe.frontend} kernel to take: {_instead(origins, items)}")
    return Gathered(tuple(origins), tuple(items))


def _named(found: Found, target: Target) -> tuple[Kernel | Reject, str | None]:
    """A kernel with where it comes from, and its licence: its file's own, or else its package's."""
    path, item = found
    stated = licence.of_text(path.read_text(encoding="utf-8", errors="replace")) or target.licence
    if isinstance(item, Reject):
        return item, stated
    here = item.provenance or Provenance(path.name)
    file = path.relative_to(target.path).as_posix()
    provenance = replace(here, file=file, licence=stated, version=target.version, package=target.name)
    return replace(item, provenance=provenance), stated


def _permitted(item: Kernel | Reject, stated: str | None, real: Real) -> Kernel | Reject:
    """What may be taken; of the rest only its name."""
    if licence.allowed(stated, real.licences):
        return item
    return Reject(
        Step.HARVEST, "Licence", f"is under {stated or 'no stated licence'}", item.name, item.category, source=""
    )


def _once(items: Iterable[Kernel | Reject], earlier: dict[tuple[str, str], str]) -> Iterable[Kernel | Reject]:
    """Each text once: a function that makes kernels makes some of them again and again."""
    for item in items:
        if isinstance(item, Kernel) and item.provenance is not None:
            key = item.name, item.source
            if key in earlier:
                message = f"has the text of {earlier[key]}"
                yield Reject(Step.HARVEST, "Repeat", message, item.name, item.category, item.source)
                continue
            earlier[key] = f"{item.provenance.file}:{item.provenance.line}"
        yield item


def _origin(target: Target, result: Imported, named: Sequence[tuple[Kernel | Reject, str | None]]) -> Origin:
    counts = Counter(stated or licence.UNSTATED for _, stated in named)
    return Origin(
        package=target.name,
        version=target.version,
        licence=target.licence,
        modules=result.modules,
        failed=result.failed,
        kernels=len(named),
        licences=dict(sorted(counts.items())),
    )


def _instead(origins: Sequence[Origin], items: Sequence[Kernel | Reject]) -> str:
    """What there is where there is no kernel."""
    if items:
        reasons = Counter(item.reason for item in items if isinstance(item, Reject)).most_common()
        told = ", ".join(f"{reason} {times}" for reason, times in reasons)
        refused = sorted({name for origin in origins for name in origin.licences})
        return f"{len(items)} were found ({told}; under {', '.join(refused)}): allow a licence with --licence"
    failed = [f"{name} ({why})" for origin in origins for name, why in origin.failed.items()]
    modules = sum(origin.modules for origin in origins)
    return f"{modules} modules were imported and {len(failed)} were not" + (f", first {failed[0]}" if failed else "")
