"""The test of the full round trip, database to model to database (`/api/test-ai`)."""
