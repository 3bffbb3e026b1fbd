"""One row on its way through verification: what is to be run for it, and what follows from the outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from irsmith.kernel import Direction
from irsmith.outcome import Reject, Step
from irsmith.row import Row
from irsmith.structure import attached
from irsmith.types import HashGrid
from irsmith.verdict import Status, Verdict
from irsmith.verify import backward, forward, points
from irsmith.verify.backward import Agreement
from irsmith.verify.derivative import ALL, Derivatives, differentiable
from irsmith.verify.evidence import Evidence
from irsmith.verify.inputs import SEARCH
from irsmith.verify.points import Points
from irsmith.verify.ports import COMPILE_ERROR, NOT_TAKEN, Adjoint, Array, Failed, Ran, Toolchain, Trial
from irsmith.verify.values import count, differs, joined, parsed, take
from irsmith.verify.verdict import Measured, Measurements, Problem, Verified

_MOST_SUSPECTS = 12

BESIDE = 480
"""Further input sets on which two texts that do not say the same have to give the same, to the last bit."""

LEAST_COMPARED = 0.5
"""The share of elements that have to be compared."""

UNASKED = "not asked for"

SAME = "same statements as the text that ran"
EXECUTED = "executed on the host"
CANDIDATES = "what it computes hangs on which points beyond its radius a grid's search gives, which is open"
READ = "read, and its signature is right; the host does not execute it"

DEVICE = "device"
"""Behind the twin's name, the check that ran its text on an accelerator."""

ADJOINT_ALONE = Failed(COMPILE_ERROR, "the adjoint alone does not compile")

_FAILURES = {
    COMPILE_ERROR: "does not compile",
    "crashed": "crashes",
    "timed_out": "does not end",
    "out_of_memory": "runs out of memory",
    "out_of_bounds": "writes outside its arrays",
    "reads_outside": "reads outside its arrays",
}


_NOT = Status.NOT_APPLICABLE
_OF_INPUTS = ("undecided", "timed_out", "out_of_memory")
"""The symptoms of a run that follow from the inputs that were found, where nobody knows the right ones."""


class Case:
    """A row whose texts are to be run.

    Args:
        row: The row.
        evidence: The reference's side of its kernel.
        toolchain: The frontend.
        run_twin: Whether the twin's text is run even if it says the same as the host's.
        on_device: Whether the twin's text is run on this machine's accelerator.
    """

    def __init__(
        self, row: Row, evidence: Evidence, toolchain: Toolchain, *, run_twin: bool, on_device: bool = False
    ) -> None:
        self.row = row
        self.evidence = evidence
        texts = row.texts
        self.twin = toolchain.twin
        self._host = toolchain.host
        self.compiled: dict[str, Failed | None] = {}
        has_host = bool(texts.get(f"{toolchain.host}_forward"))
        has_twin = bool(texts.get(f"{toolchain.twin}_forward"))
        self.stage = toolchain.host if has_host else toolchain.twin
        self.difference = toolchain.difference(row.kernel.name, texts) if has_host and has_twin else None
        self.compared = has_host and has_twin
        self.run_twin = self.compared and (run_twin or self.difference is not None)
        self.also = tuple(stage for stage in toolchain.also if texts.get(f"{stage}_forward"))
        self._untaken: dict[str, str] = {}
        self.on_device = on_device
        self._device_runs = on_device and has_twin
        self.problem: Problem | None = evidence.problem
        self._backward: Verdict | None = None
        self._measured: dict[str, Measured] = {}
        self._waiting: list[Trial] = []
        self._ran: dict[str, Ran] = {}
        self._adjoint_fails = False
        self._again: Points | None = None
        self._settled: Mapping[str, Array] | None = None
        self._settled_truth: Derivatives | None = None
        if meaningless := toolchain.meaningless(texts, self.stage):
            self._set_backward(Status.COMPILER_WRONG, meaningless)

    def trials(self) -> list[Trial]:
        """What is to be run next; nothing once the row is decided."""
        if self.problem is not None or self.evidence.explored is None:
            return []
        if not self._ran and not self._waiting:
            self._waiting = self._everywhere(self._trial) + [self._trial(stage) for stage in self.also]
        return self._waiting

    def _everywhere(self, trial: Callable[[str], Trial]) -> list[Trial]:
        """A trial of the first text, and of the twin's where it is to run."""
        trials = [trial(self.stage)]
        if self.run_twin:
            trials.append(trial(self.twin))
        if self._device_runs:
            trials.append(replace(trial(self.twin), on_device=True))
        return trials

    def take(self, outcomes: list[Ran | Failed]) -> None:
        """Go on with the outcomes of `trials`."""
        asked, self._waiting = self._waiting, []
        for trial, outcome in zip(asked, outcomes, strict=True):
            if self.problem is not None:
                return
            if isinstance(outcome, Failed):
                self._failed(trial, outcome)
            elif trial.forward is None:
                self._settle(trial, outcome)
            else:
                self._ran[DEVICE if trial.on_device else trial.stage] = outcome
                self._judge(trial, outcome)

    def _failed(self, trial: Trial, outcome: Failed) -> None:
        mine = self._is_first(trial)
        if outcome.symptom == NOT_TAKEN and (trial.stage in self.also or not mine):
            self._untaken[DEVICE if trial.on_device else trial.stage] = outcome.message
            other = trial.stage == self.twin and not trial.on_device and self.difference is not None
            if other and self.row.kernel.provenance is None:
                # Nobody knows what it computes.
                message = f"the {self.twin} text says something else, and cannot be run here: {outcome.message}"
                self.problem = Problem("twin_differs", message)
            return
        if trial.backward is None or not (mine or self._adjoint_fails):
            self.problem = _failure(trial.stage, outcome, " on the device" if trial.on_device else "")
            return
        if mine:
            self._adjoint_fails = True
            self._set_backward(Status.COMPILER_WRONG, f"the adjoint {_FAILURES.get(outcome.symptom, 'fails')}")
        if trial.forward is not None:
            # It may be the adjoint alone.
            self._waiting.append(replace(trial, backward=None))

    def outcome(self) -> Verified | Reject:
        """What became of the row."""
        kernel = self.row.kernel
        compiled = [self._compile_verdict(stage) for stage in (self._host, self.twin)]
        if self.problem is not None and self._spares(self.problem):
            # A kernel that a person wrote is a row, and what its run would show is not known.
            self.evidence.unknown, self.problem, self._backward = self.problem.message, None, None
        if self.problem is not None:
            found = self.problem
            return Reject(found.step, found.symptom, found.message, kernel.name, kernel.category, kernel.source)
        unknown = self.evidence.unknown
        if unknown is None:
            forward_verdict = Verdict("forward", Status.PASSED, self.evidence.told)
            backward_verdict = self._backward or Verdict("backward", Status.PASSED)
        else:
            alone = Status.COMPILED if self.row.kernel.provenance is not None and unknown != UNASKED else _NOT
            forward_verdict = Verdict("forward", alone, unknown)
            backward_verdict = self._backward or Verdict("backward", alone, unknown)
        explored, where = self.evidence.explored, self.evidence.points
        return Verified(
            self.row.id,
            (
                *compiled,
                forward_verdict,
                backward_verdict,
                self._twin_verdict(),
                *self._device_verdict(),
                *map(self._also_verdict, self.also),
            ),
            explored.uncovered if explored else (),
            Measurements(
                sets=explored.observed.count if explored else 0,
                points=len(where.places) if where else 0,
                forward=self._measured.get("forward"),
                backward=self._measured.get("backward"),
                seconds=dict(self.evidence.seconds),
            ),
        )

    def _spares(self, problem: Problem) -> bool:
        """Whether a problem says something of the inputs rather than of the texts."""
        kernel = self.row.kernel
        if kernel.provenance is None:
            return False
        of_grid = any(isinstance(argument.type, HashGrid) for argument in kernel.signature.arguments)
        if problem.symptom == "forward_differs" and of_grid:
            # Its author may have meant another array's points than those that were found to be the grid's.
            self.problem = replace(problem, message=CANDIDATES)
            return True
        return problem.symptom in _OF_INPUTS

    def _compile_verdict(self, stage: str) -> Verdict:
        check = f"compile_{stage}"
        if not self.row.texts.get(f"{stage}_forward"):
            return Verdict(check, Status.NOT_APPLICABLE, "the row has no such text")
        if stage in self.compiled:
            failure = self.compiled[stage]
            if failure is ADJOINT_ALONE:
                self._set_backward(Status.COMPILER_WRONG, f"the adjoint {_FAILURES[COMPILE_ERROR]}")
            elif failure is not None:
                self.problem = self.problem or _failure(stage, failure)
            return Verdict(check, Status.PASSED)
        # What ran on the host has compiled there, and nowhere else.
        if stage == self._host and stage in self._ran:
            return Verdict(check, Status.PASSED)
        return Verdict(check, Status.NOT_APPLICABLE, self.evidence.unknown or "not in the sample that is compiled")

    def _twin_verdict(self) -> Verdict:
        if not self.compared:
            return Verdict(self.twin, Status.NOT_APPLICABLE, "the row does not have both texts")
        if self.evidence.unknown == UNASKED:
            return Verdict(self.twin, Status.NOT_APPLICABLE, UNASKED)
        executed = [EXECUTED] if self.twin in self._ran else []
        if self.difference is not None and not executed:
            reason = self.evidence.unknown or self._untaken.get(self.twin, "")
            return Verdict(self.twin, Status.NOT_APPLICABLE, reason)
        same = [SAME] if self.difference is None else []
        return Verdict(self.twin, Status.PASSED, " and ".join(same + executed))

    def _device_verdict(self) -> list[Verdict]:
        if not self.on_device:
            return []
        check = f"{self.twin}_{DEVICE}"
        if DEVICE in self._ran:
            return [Verdict(check, Status.PASSED)]
        reason = self.evidence.unknown or self._untaken.get(DEVICE) or f"the row has no {self.twin} text"
        return [Verdict(check, Status.NOT_APPLICABLE, reason)]

    def _is_first(self, trial: Trial) -> bool:
        """Whether a trial is of the text that the others are compared with."""
        return trial.stage == self.stage and not trial.on_device

    def _also_verdict(self, stage: str) -> Verdict:
        if stage in self._ran:
            return Verdict(stage, Status.PASSED, EXECUTED)
        if stage in self._untaken:
            return Verdict(stage, Status.PASSED, f"{READ}: {self._untaken[stage]}")
        return Verdict(stage, Status.NOT_APPLICABLE, self.evidence.unknown or "")

    def _trial(self, stage: str) -> Trial:
        explored, where = self.evidence.explored, self.evidence.points
        assert explored is not None
        sets, after = explored.sets(), explored.exact()
        if self.difference is not None and self.evidence.inputs is not None:
            modes = [SEARCH[place % len(SEARCH)] for place in range(BESIDE)]
            beside = self.evidence.inputs.sets(modes, "beside")
            sets, after = joined(sets, beside), joined(after, beside)
        adjoint = None
        # What means nothing is not run.
        if self.row.texts.get(f"{stage}_backward") and self._backward is None:
            adjoint = where.adjoint if where else Adjoint(take(sets, slice(0, 1)), {})
            if where is not None and self.difference is not None and self.evidence.inputs is not None:
                adjoint = where.on_all(self.evidence.inputs, sets, after)
        return Trial(self.row.id, self.row.kernel, stage, self.row.texts, sets, adjoint)

    def _judge(self, trial: Trial, ran: Ran) -> None:
        assert ran.forward is not None
        if self._is_first(trial):
            self.problem = self._forward(ran.forward, "forward_differs", "the compiled text and the reference disagree")
            if self.problem is None and self._backward is None:
                self._compare_backward(ran)
            return
        main = self._ran.get(self.stage)
        if trial.on_device:
            self.problem = self._forward(
                ran.forward, "device_differs", f"the {self.twin} text computes something else on the device"
            )
            if self.problem is None and main is not None:
                self._same_adjoints(main.backward, ran.backward, self.evidence.points, self.evidence.truth, device=True)
            return
        if trial.stage in self.also:
            what = f"the {trial.stage} text computes something else than the {self.stage} text"
            self.problem = self._forward(ran.forward, f"{trial.stage}_differs", what)
            if self.problem is None and main is not None and main.backward is not None and ran.backward is not None:
                self._compare_further(trial.stage, main.backward, ran.backward)
            return
        message = f"the {self.twin} text computes something else"
        if self.difference is not None and main is not None and main.forward is not None:
            unlike = [name for name, array in main.forward.items() if differs(array, ran.forward[name]).any()]
            if unlike:
                self.problem = Problem("twin_differs", f"{message}: {', '.join(unlike)}")
                return
        self.problem = self._forward(ran.forward, "twin_differs", message)
        if self.problem is None and main is not None:
            self._same_adjoints(main.backward, ran.backward, self.evidence.points, self.evidence.truth)

    def _same_adjoints(
        self,
        main: Mapping[str, Array] | None,
        twin: Mapping[str, Array] | None,
        where: Points | None,
        truth: Derivatives | None,
        *,
        device: bool = False,
    ) -> None:
        if not main or not twin or where is None or truth is None:
            return
        # Texts of the same statements may add up in another order; others have no such excuse.
        bitwise = self.difference is not None and not device
        if backward.unlike(self.row.kernel, where, truth, main, twin, bitwise=bitwise):
            symptom, where_run = ("device_differs", " on the device") if device else ("twin_differs", "")
            message = f"the adjoint of the {self.twin} text computes something else{where_run}"
            self.problem = Problem(symptom, message)

    def _compare_further(self, stage: str, main: Mapping[str, Array], adjoints: Mapping[str, Array]) -> None:
        """Hold a further text's adjoint against the first text's, and against the derivatives where that one was."""
        evidence, where, truth = self.evidence, self.evidence.points, self.evidence.differentiate()
        unlike = () if where is None else backward.other_elements(self.row.kernel, where, main, adjoints)
        if unlike:
            message = f"the {stage} text computes another adjoint of {', '.join(unlike)} than the {self.stage} text"
            self.problem = Problem(f"{stage}_differs", message)
            return
        passed = self._backward is not None and self._backward.status is Status.PASSED
        if not passed or where is None or truth is None or evidence.reference is None or evidence.inputs is None:
            return
        kernel = self.row.kernel
        agreement = backward.compare(kernel, where, truth, adjoints)
        if agreement.wrong and not agreement.clear:
            calm = backward.calm(evidence.reference, kernel, where)
            agreement = backward.compare(kernel, where, evidence.differentiate_closely(), adjoints, calm)
        # One that is off by little is wrong only if it is not what the first text's is either.
        if agreement.wrong and (not agreement.slight or backward.unlike(kernel, where, truth, main, adjoints)):
            self.problem = Problem(f"{stage}_differs", f"in the {stage} text, {backward.reason(kernel, agreement)}")

    def _forward(self, outputs: Mapping[str, Array], symptom: str, message: str) -> Problem | None:
        explored, reference = self.evidence.explored, self.evidence.reference
        assert explored is not None
        assert reference is not None
        observed = explored.all_observed
        here, beyond = slice(0, observed.count), slice(observed.count, count(explored.sets()))
        found = forward.compare(observed, take(outputs, here), explored.observed.count)
        places = list(found.sets)
        places += [
            observed.count + place for place in forward.suspects(observed, explored.extra, take(outputs, beyond))
        ]
        self._measured["forward"] = found.closest
        if places:
            looked = places[:_MOST_SUSPECTS]
            second = forward.compare(self.evidence.look(looked), take(outputs, looked))
            self._measured["forward"] = second.closest
            if second.different:
                return Problem(symptom, f"{message}: {', '.join(second.different)}")
        if found.compared < LEAST_COMPARED:
            return Problem("undecided", "most outputs hang on comparisons that are within rounding")
        return None

    def _set_backward(self, status: Status, reason: str = "") -> None:
        self._backward = Verdict("backward", status, reason)

    def _compare_backward(self, ran: Ran) -> None:
        kernel = self.row.kernel
        if not self.row.texts.get(f"{self.stage}_backward"):
            return self._set_backward(Status.NOT_APPLICABLE, "the compiler wrote no adjoint")
        arrays = differentiable(kernel)
        inputs = self.evidence.inputs
        outputs = [a.name for a in kernel.signature.arrays if a.direction is not Direction.IN]
        if inputs is None or not set(arrays) & set(inputs.free()):
            return self._set_backward(Status.NOT_APPLICABLE, "no array with a gradient carries data in")
        if not set(arrays) & set(outputs):
            return self._set_backward(Status.NOT_APPLICABLE, "no output has a gradient")
        where, truth = self.evidence.points, self.evidence.differentiate()
        if where is None or truth is None or ran.backward is None or ran.forward is None:
            return self._set_backward(Status.NOT_APPLICABLE, "every input set is within rounding of a branch")
        agreement = backward.compare(kernel, where, truth, ran.backward)
        if agreement.wrong and self.evidence.reference is not None:
            truth = backward.undisputed(self.evidence.reference, kernel, where, truth)
            agreement = backward.compare(kernel, where, truth, ran.backward)
        right_contents = agreement.settled or where.saw(ran.forward)
        if not right_contents or (agreement.wrong and not agreement.clear):
            return self._look_again(where, ran.forward)
        return self._conclude(agreement)

    def _look_again(self, where: Points, left: Mapping[str, Array]) -> None:
        """Run the adjoints on the contents that the compiled forward left."""
        explored, inputs = self.evidence.explored, self.evidence.inputs
        assert explored is not None
        assert inputs is not None
        row = self.row
        again = self._again = points.prepare(
            row.kernel, inputs, explored.observed, explored.modes, where.places, where.full, left
        )
        self._waiting += self._everywhere(
            lambda stage: Trial(row.id, row.kernel, stage, row.texts, None, again.adjoint)
        )

    def _settle(self, trial: Trial, outcome: Ran) -> None:
        reference, where = self.evidence.reference, self._again
        assert reference is not None
        assert where is not None
        assert outcome.backward is not None
        if self._is_first(trial):
            kernel = self.row.kernel
            truth = self._settled_truth = self.evidence.differentiate_closely()
            self._settled = outcome.backward
            calm = backward.calm(reference, kernel, where)
            self._conclude(backward.compare(kernel, where, truth, outcome.backward, calm))
        else:
            self._same_adjoints(self._settled, outcome.backward, where, self._settled_truth, device=trial.on_device)

    def _conclude(self, agreement: Agreement) -> None:
        self._measured["backward"] = agreement.closest
        if agreement.wrong and agreement.slight:
            self._set_backward(Status.NOT_APPLICABLE, "it is off by so little that rounding may be the cause")
        elif agreement.wrong and self.row.kernel.provenance is not None and attached(parsed(self.row.kernel.source)[0]):
            self._set_backward(Status.NOT_APPLICABLE, "its author wrote a gradient that is not the derivative")
        elif agreement.wrong:
            self._set_backward(Status.COMPILER_WRONG, backward.reason(self.row.kernel, agreement))
        elif agreement.unjudged:
            names = ", ".join(agreement.unjudged)
            if set(agreement.judged) - {ALL}:
                self._set_backward(Status.PASSED, f"rounding is too coarse to judge the adjoint of {names}")
            else:
                self._set_backward(Status.NOT_APPLICABLE, "the derivative is lost in rounding, or has none nearby")
        elif agreement.zero:
            self._set_backward(Status.PASSED, "every derivative is zero")
        else:
            self._set_backward(Status.PASSED)


def _failure(stage: str, outcome: Failed, place: str = "") -> Problem:
    step = Step.COMPILE if outcome.symptom == COMPILE_ERROR else Step.RUN
    return Problem(
        outcome.symptom, f"the {stage} text {_FAILURES.get(outcome.symptom, 'fails')}{place}: {outcome.message}", step
    )
