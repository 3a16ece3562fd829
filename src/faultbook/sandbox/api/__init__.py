"""The Web API: one function per method, found by its name."""
