"""HTTP, coming in: agents and CI record runs and ask."""
