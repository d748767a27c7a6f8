"""What changes chats, folders and assets: every way in calls these."""
