"""Two states of one chat made one (`bigagi-format.md` § 11). Pure: the database is the importer's."""
