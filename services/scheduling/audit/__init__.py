"""Who did what: the entries, their table, the API and the export."""
