"""The node: sockets and dialects at its edge, sessions and rooms inside, identity, the program."""
