-- A link stops while whoever made it may not share its document: since when, seconds since 1970.
ALTER TABLE docs_link ADD COLUMN stopped REAL;
