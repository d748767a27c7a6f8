"""Chats as files: Markdown, big-AGI's own JSON, and pages that need no server."""
