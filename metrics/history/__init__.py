"""The calls recorded in messages, as events of the ledger."""
