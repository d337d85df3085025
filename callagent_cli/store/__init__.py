"""SQLite: schema, group commit, queries, the single-worker lock."""
