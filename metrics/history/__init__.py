"""The calls that messages tell of, as events of the ledger."""
