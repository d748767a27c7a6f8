"""Changes to stores and records, called by API, admin and commands alike."""
