"""What can go wrong, as types: each error has a code to translate and its parameters.

`MESSAGES` holds the English sentence (the msgid) of each code; views translate it and
fill in the parameters. An error says what the officer can mend.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from app.sop.text import N_

if TYPE_CHECKING:
    from app.sop.guards import Problem

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "not_allowed": N_("You are not allowed to do this."),
    "wrong_step": N_("This case is at %(step)s; this action does not belong there."),
    "moved_by_other": N_("%(who)s moved this case to %(step)s at %(at)s. Look at it again."),
    "reason_required": N_("Give a reason."),
    "guard_failed": N_("Something is still missing."),
    "unknown_transition": N_("There is no action %(transition)s at step %(step)s."),
    "not_found": N_("%(what)s %(key)s was not found."),
    "sop_mistakes": N_("The SOP file has %(count)s mistakes."),
}


class SopError(Exception):
    """The office's rules refuse something; `code` and `params` say what and why."""

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code
        self.params: dict[str, Any] = params
        super().__init__(code, params)

    def __str__(self) -> str:
        """English, for logs and the command line; pages translate `code` instead."""
        try:
            return MESSAGES[self.code] % self.params
        except (KeyError, TypeError, ValueError):
            details = ", ".join(f"{name}={value}" for name, value in self.params.items())
            return f"{self.code} ({details})" if details else self.code


class NotAllowedError(SopError):
    """The actor lacks the permission for `what` (a transition or permission key)."""

    def __init__(self, what: str = "") -> None:
        super().__init__("not_allowed", what=what)


class WrongStepError(SopError):
    """The case is elsewhere: another officer moved it, or the action belongs elsewhere.

    Args:
        who: the officer who moved it, None when nobody did.
        at: when that happened (aware UTC).
        step: where the case is now.
    """

    def __init__(
        self, who: str | None = None, at: datetime | None = None, step: object = ""
    ) -> None:
        super().__init__(
            "wrong_step" if who is None else "moved_by_other", who=who, at=at, step=step
        )


class ReasonRequiredError(SopError):
    """The SOP wants a reason for this transition and none was given."""

    def __init__(self, transition: str = "") -> None:
        super().__init__("reason_required", transition=transition)


class GuardFailedError(SopError):
    """A transition's conditions do not hold; `problems` lists every one that does not."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("guard_failed", problems=self.problems)


class UnknownTransitionError(SopError):
    """The step has no such transition."""

    def __init__(self, step: str, transition: str) -> None:
        super().__init__("unknown_transition", step=step, transition=transition)


class NotFoundError(SopError):
    """There is no such thing, or the asker may not know that there is."""

    def __init__(self, what: str, key: object = "") -> None:
        super().__init__("not_found", what=what, key=key)


class RefusedError(SopError):
    """A rule outside the SOP's table refuses; the code says which."""


class FileRefusedError(RefusedError):
    """A file was not accepted: its type, size or content."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend in the SOP file: where it is and what is wrong."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class SopMistakes(SopError):  # noqa: N818 - the contract's name: it holds many
    """The SOP file does not compile; `mistakes` lists all of them in file order."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        super().__init__("sop_mistakes", count=len(self.mistakes))

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)
