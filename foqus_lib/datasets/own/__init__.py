"""A user's own arrays and recordings, and the few lines that say what is in them."""
