"""Documentation generated from the code: examples, the collection for Insomnia, the database page."""
