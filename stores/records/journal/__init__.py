"""The change journal (`ARCHITECTURE.md`, law 5): every change is an entry, written in the change's own transaction,
and can be undone as long as no newer change touches the same records."""
