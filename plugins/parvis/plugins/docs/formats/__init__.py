"""Documents in other formats. What a node calls in helper processes is `convert`."""
