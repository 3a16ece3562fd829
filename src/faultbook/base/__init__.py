"""The lowest floor: errors, clock, ids, settings, redaction, text, locks; no I/O at import."""
