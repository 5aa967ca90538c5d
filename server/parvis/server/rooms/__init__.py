"""Live rooms: from a name to a seat, and an update's way from one peer to all the others."""
