"""The chat page: Django views that render it, and the parts of it that its scripts fetch."""
