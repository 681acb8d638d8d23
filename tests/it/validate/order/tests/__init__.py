"""Tests of the order node."""
