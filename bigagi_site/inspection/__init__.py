"""Looking into the database: which tables may be read, the SQL box, and the table browser. Nothing here writes."""
