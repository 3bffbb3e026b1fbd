"""What a Warp kernel's source says of itself, by syntax: patterns of access, features, and the cost of a thread."""
