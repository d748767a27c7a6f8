"""The kernel: big-AGI's JSON as rows and out again, the journal of changes, secrets.

It knows no app, no importer and no HTTP. Everything may import it.
"""
