"""The trial of the whole way, database to model to database (`/api/test-ai`)."""
