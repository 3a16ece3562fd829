"""Time, coming in: what is done because an hour has come."""
