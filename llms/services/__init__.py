"""What changes services, models and assignments: every way in calls these."""
