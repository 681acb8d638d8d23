"""Handler of the order node."""
