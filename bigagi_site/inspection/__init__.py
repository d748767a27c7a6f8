"""Read access to the database: the table policy, the SQL box, and the table browser. Nothing here writes."""
