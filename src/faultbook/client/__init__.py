"""The Python client of agents: httpx and nothing heavy, cheap to import."""
