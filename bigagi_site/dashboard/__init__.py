"""The admin's first page: spending, latency, the state of the database, and what is stored."""
