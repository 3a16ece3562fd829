"""Running what people approved, at most once, by the executors that the settings name."""
