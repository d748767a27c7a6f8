"""What changes workspaces and live files: every way in calls these."""
