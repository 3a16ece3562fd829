"""What an `UnavailableError` of the client says about the request it was for."""

NOT_SENT = "connect_failed"
"""Nothing reached the server."""

AMBIGUOUS = "ambiguous_io"
"""The server may have done what was asked."""
