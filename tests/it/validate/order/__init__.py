"""COMPUTE node: adds up the lines of an order."""

from .node import NodeOrderCompute

__all__ = ["NodeOrderCompute"]
