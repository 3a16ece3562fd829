"""Alembic's folder: each version is one step from an older schema to a newer one."""
