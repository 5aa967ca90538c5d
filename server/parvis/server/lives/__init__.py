"""The lives of a document: begun anew without what was deleted, and what became of the old ones."""
