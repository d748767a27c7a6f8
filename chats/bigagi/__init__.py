"""big-AGI's JSON of chats, folders and assets in and out of this app's rows."""
