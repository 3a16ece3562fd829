"""The durable store: SQLAlchemy Core on SQLite and on PostgreSQL."""
