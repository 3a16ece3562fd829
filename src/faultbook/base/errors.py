"""Every error that Faultbook answers with: what happened, where, and what to do next.

One root and five branches; a door maps a branch to its own terms once (an HTTP status, an exit
code, an ephemeral message). `code` is stable and machine-readable.
"""


class FaultbookError(Exception):
    """The root of every expected error.

    Attributes:
        code: stable snake_case name of what went wrong.
        next_step: what the reader can do about it; empty when nothing can be done.
        where: the field, file or setting it is about; empty when it is about none.
    """

    code = "error"

    def __init__(
        self, message: str, *, code: str | None = None, next_step: str = "", where: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.next_step = next_step
        self.where = where


class InvalidError(FaultbookError):
    """What was given can't be taken as it is."""

    code = "invalid"


class TooLargeError(InvalidError):
    """What was given is over a size limit."""

    code = "too_large"


class NotFoundError(FaultbookError):
    """What was named does not exist."""

    code = "not_found"


class ForbiddenError(FaultbookError):
    """Who asks may not do this."""

    code = "forbidden"


class UnauthenticatedError(ForbiddenError):
    """Nobody we know asks: no credential, or one that is not valid."""

    code = "auth_required"


class ConflictError(FaultbookError):
    """Something else was decided before."""

    code = "conflict"


class UnavailableError(FaultbookError):
    """Something that is needed can't be had now.

    Attributes:
        retry_after: seconds to wait before another try; None when unknown.
    """

    code = "unavailable"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        next_step: str = "",
        where: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, code=code, next_step=next_step, where=where)
        self.retry_after = retry_after
