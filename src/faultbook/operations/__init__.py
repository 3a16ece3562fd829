"""The verbs. Each is a plain function that takes a `Transaction` first and does SQL only."""
