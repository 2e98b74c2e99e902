"""Discord's REST errors: an HTTP status with a JSON code, a sentence and, for wrong forms, the path of each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """An answer other than success.

    Attributes:
        status: HTTP status.
        code: Discord's JSON error code; 0 is the general one.
        message: Discord's sentence.
        errors: For code 50035, nested by field.
        headers: Extra response headers.
    """

    def __init__(
        self, status: int, code: int, message: str, *, errors: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.headers: dict[str, str] = {}

    def payload(self) -> dict[str, Any]:
        """The JSON body."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


def form_error(path: str, code: str, message: str) -> ApiError:
    """A field of the request body is wrong.

    Args:
        path: Where, with dots, such as ``"components.0.label"``; empty for the body itself.
        code: Discord's word for it, such as ``"BASE_TYPE_MAX_LENGTH"``.
        message: What is wrong.
    """
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for key in reversed([part for part in path.split(".") if part]):
        errors = {key: errors}
    return ApiError(400, 50035, "Invalid Form Body", errors=errors)


def too_long(path: str, limit: int) -> ApiError:
    """A text has more than ``limit`` characters."""
    return form_error(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")


def bad_length(path: str, low: int, high: int) -> ApiError:
    """A text or list has a length outside ``[low, high]``."""
    return form_error(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")


def wrong_choice(path: str, choices: object) -> ApiError:
    """A value is none of those allowed."""
    return form_error(path, "BASE_TYPE_CHOICES", f"Value must be one of {choices}.")


def wrong_type(path: str, wanted: str) -> ApiError:
    """A value has the wrong JSON type."""
    return form_error(path, "BASE_TYPE_CONVERT", f"Could not interpret the value as {wanted}.")


def required(path: str) -> ApiError:
    """A field is missing."""
    return form_error(path, "BASE_TYPE_REQUIRED", "This field is required")


def unauthorized() -> ApiError:
    """The token is missing or unknown."""
    return ApiError(401, 0, "401: Unauthorized")


def unknown_application() -> ApiError:
    """Not the playground's application."""
    return ApiError(404, 10002, "Unknown Application")


def unknown_channel() -> ApiError:
    """No such channel, thread or DM."""
    return ApiError(404, 10003, "Unknown Channel")


def unknown_guild() -> ApiError:
    """No such guild."""
    return ApiError(404, 10004, "Unknown Guild")


def unknown_member() -> ApiError:
    """The person is not in the guild."""
    return ApiError(404, 10007, "Unknown Member")


def unknown_message() -> ApiError:
    """No such message, or one that the caller may not know of."""
    return ApiError(404, 10008, "Unknown Message")


def unknown_role() -> ApiError:
    """No such role."""
    return ApiError(404, 10011, "Unknown Role")


def unknown_user() -> ApiError:
    """No such user."""
    return ApiError(404, 10013, "Unknown User")


def unknown_emoji() -> ApiError:
    """Neither a Unicode emoji nor one of the guild's own."""
    return ApiError(400, 10014, "Unknown Emoji")


def unknown_webhook() -> ApiError:
    """No interaction has this token, or it has not been answered yet."""
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    """The interaction never was, or its three seconds are over."""
    return ApiError(404, 10062, "Unknown interaction")


def unknown_command() -> ApiError:
    """No such application command."""
    return ApiError(404, 10063, "Unknown application command")


def token_expired() -> ApiError:
    """An interaction token lives for fifteen minutes."""
    return ApiError(401, 50027, "Invalid Webhook Token")


def acknowledged() -> ApiError:
    """An interaction takes one first response only."""
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def missing_access() -> ApiError:
    """The channel is hidden from the caller."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """The caller may see it but not do this."""
    return ApiError(403, 50013, "Missing Permissions")


def archived() -> ApiError:
    """The thread is archived and the caller cannot open it again."""
    return ApiError(403, 50083, "Thread is archived")


def locked() -> ApiError:
    """The thread is locked and the caller is no moderator."""
    return ApiError(403, 160005, "Thread is locked")


def too_large() -> ApiError:
    """A file or the whole request is over the limit."""
    return ApiError(413, 40005, "Request entity too large")
