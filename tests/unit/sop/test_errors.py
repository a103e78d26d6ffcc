"""Errors carry a code to translate and the parameters its sentence needs."""

from datetime import UTC, datetime

import pytest

from app.sop import errors
from app.sop.guards import Problem

NOON = datetime(2025, 6, 2, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "code", "english"),
    [
        pytest.param(
            errors.NotAllowedError("sign"), "not_allowed", "You are not allowed", id="not allowed"
        ),
        pytest.param(
            errors.WrongStepError("Sari", NOON, "Verifikasi SIAK"),
            "moved_by_other",
            "Sari moved this case to Verifikasi SIAK at 2025-06-02",
            id="another officer was first",
        ),
        pytest.param(
            errors.WrongStepError(step="Verifikasi SIAK"),
            "wrong_step",
            "This case is at Verifikasi SIAK",
            id="the action belongs elsewhere",
        ),
        pytest.param(
            errors.ReasonRequiredError("withdraw"), "reason_required", "Give a reason.", id="reason"
        ),
        pytest.param(
            errors.GuardFailedError([Problem("answer_missing")]),
            "guard_failed",
            "Something is still missing.",
            id="a guard",
        ),
        pytest.param(
            errors.UnknownTransitionError("intake", "sign"),
            "unknown_transition",
            "no action sign at step intake",
            id="unknown transition",
        ),
        pytest.param(
            errors.NotFoundError("step", "x"), "not_found", "step x was not found", id="not found"
        ),
        pytest.param(
            errors.FileRefusedError("too_large", limit=10),
            "too_large",
            "too_large (limit=10)",
            id="file",
        ),
        pytest.param(errors.RefusedError("stale"), "stale", "stale", id="a code without sentence"),
        pytest.param(
            errors.SopMistakes([errors.Mistake("step x", "has no label")]),
            "sop_mistakes",
            "step x: has no label",
            id="mistakes",
        ),
    ],
)
def test_error(error: errors.SopError, code: str, english: str) -> None:
    assert isinstance(error, errors.SopError)
    assert error.code == code
    assert english in str(error)


def test_a_guard_error_keeps_every_problem() -> None:
    problems = (Problem("answer_missing"), Problem("proof_missing"))
    assert errors.GuardFailedError(iter(problems)).problems == problems
