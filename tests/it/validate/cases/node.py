# place: node.py
"""COMPUTE node of the wrong kind."""

from omnibase_core.nodes import NodeEffect


class Order(NodeEffect):  #! compliance.base-class compliance.class-name
    """Adds up."""

    def execute(self, request: str) -> str:  #! compliance.execute compliance.generic-name correctness.signature correctness.signature
        """Run."""
        return request
