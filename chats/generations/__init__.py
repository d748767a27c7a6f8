"""Generations: tasks of the server that stream an answer into a chat, whoever reads along (design, section 7)."""
