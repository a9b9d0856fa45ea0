"""Where the calls of a workspace come in: a batch of them at a time, in the writer's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from engine.config import QuarantineSettings
from engine.receipt import Receipt
from engine.runtime import erasing, page_keys, quarantine, repeats
from engine.runtime.admission import Admission
from engine.runtime.intake import Arrival, Intake, Taken
from engine.runtime.submission import Submission


class Reception:
    """Carries out calls and answers them. For the writer's thread alone."""

    def __init__(self, admission: Admission, settings: QuarantineSettings) -> None:
        self._admission = admission
        self._quarantine = settings

    def take(self, intake: Intake, calls: Sequence[Submission]) -> list[Receipt]:
        """What each call is told. A repeated one gets the answer of the first, and nothing of it is done."""
        taking = partial(self._carry_out, intake)
        most = self._quarantine.answer_bytes
        return repeats.carry_out(intake.connection, intake.workspace, calls, intake.now, taking, intake.owners, most)

    def _carry_out(self, intake: Intake, calls: Sequence[Submission]) -> list[Receipt]:
        arrivals = [one for call in calls for one in call.arrivals]
        taken = iter(self._take(intake, arrivals) if arrivals else ())
        if intake.outvoted:
            quarantine.keep_outvoted(intake.connection, intake.workspace, self._quarantine, intake.outvoted, intake.now)
            intake.outvoted = []
        receipts = [call.receipt(taken) for call in calls]
        for call, receipt in zip(calls, receipts, strict=True):
            if call.originals is not None and not receipt.stored_whole:
                quarantine.keep(intake.connection, intake.workspace, self._quarantine, call.originals, receipt)
            if call.beside is not None:
                call.beside(intake.connection, receipt)
        return receipts

    def _take(self, intake: Intake, arrivals: Sequence[Arrival]) -> Sequence[Taken]:
        """Past those who refuse: what comes for the erased, what pages cannot say, what event types do not let in."""
        admitting = partial(self._admission.take, intake.connection, taking=intake.take)
        limiting = partial(page_keys.take, intake.connection, intake.workspace, taking=admitting)
        return erasing.take(intake, arrivals, limiting)
