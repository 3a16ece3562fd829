"""The wrapper: runs any command and records what became of it."""
