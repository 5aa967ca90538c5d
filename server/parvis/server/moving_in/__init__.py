"""Moving in: documents that other Yjs servers kept, read from their stores into rooms."""
