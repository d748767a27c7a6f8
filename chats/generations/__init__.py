"""Generations: server tasks that stream an answer into a chat, with or without readers."""
