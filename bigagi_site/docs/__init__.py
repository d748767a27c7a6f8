"""Documentation that is made from the code: examples, the collection for Insomnia, the database page."""
