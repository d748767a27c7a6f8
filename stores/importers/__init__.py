"""The import of a file: recognized, read, decided record by record, written, verified.

Imported by commands, by the views of import runs, and by the pages that show them.
"""
