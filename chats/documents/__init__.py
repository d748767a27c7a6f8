"""The text of documents, as PDF and Word have them: read in a process of its own, and not stored.

`reading` is what the rest of the program calls. The other modules run in that process and know no Django.
"""
