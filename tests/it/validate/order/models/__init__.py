"""Models of the order node."""
