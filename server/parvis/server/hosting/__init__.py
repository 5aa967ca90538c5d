"""What a node does for room types: find them, feed consumers and jobs, serve their routes."""
