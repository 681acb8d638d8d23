# place: node_shapes.py
"""Classes of a shape that upstream refuses."""

from pydantic import BaseModel, ConfigDict

TOPIC = "onex.evt.orders.order-paid.v1"  #! compliance.topic


class OrderManager:  #! compliance.vague-class compliance.methods
    """Does too much."""

    def a(self) -> None:
        """Do it."""
        print(self)

    b = c = d = a

    def doIt(self) -> None:  #! compliance.function-name
        """Do it."""
        print(self)

    def e(self) -> None:
        """Do it."""
        print(self)

    def f(self) -> None:
        """Do it."""
        print(self)

    def g(self) -> None:
        """Do it."""
        print(self)

    def h(self) -> None:
        """Do it."""
        print(self)

    def i(self) -> None:
        """Do it."""
        print(self)

    def j(self) -> None:
        """Do it."""
        print(self)

    def k(self) -> None:
        """Do it."""
        print(self)

    def m(self) -> None:
        """Do it."""
        print(self)

    def n(self) -> None:
        """Do it."""
        print(self)

    def o(self) -> None:
        """Do it."""
        print(self)


class OrderManagerError(Exception):
    """May say what failed."""


class ModelShape(BaseModel):
    """Takes any text."""

    model_config = ConfigDict(extra="forbid")

    status: str = "open"  #! compliance.text-field
    part_id: str = ""  #! compliance.text-field
    order_id: str = ""
    label: str = ""
