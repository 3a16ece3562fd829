"""The doors: async lives here. Each parses a payload into one operation."""
