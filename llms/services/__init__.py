"""Changes to services, models and assignments, called by API, admin and commands alike."""
