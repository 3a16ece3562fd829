"""The lowest floor: errors, clock, ids, settings, redaction and text; no I/O at import."""
