"""The admin's first page: what was spent, on what, how fast, how the data does, and what is here."""
