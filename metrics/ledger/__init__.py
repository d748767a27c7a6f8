"""The ledger of single calls, and the sums that the database keeps of it."""
