"""What changes stores and records: every way in (API, admin, commands) calls these."""
