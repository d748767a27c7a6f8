"""The database's views with plain names, for the owner's own queries and scripts."""
