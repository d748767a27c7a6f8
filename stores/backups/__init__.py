"""Backups, how they are restored, and whether the stored data is whole.

Imported by commands, by the importer, and by what tells the server's state.
"""
