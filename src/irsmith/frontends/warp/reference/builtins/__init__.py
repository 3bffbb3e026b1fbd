"""What each of Warp's builtins means, one small function each, grouped by the values they work on."""
