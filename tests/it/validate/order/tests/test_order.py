"""Tests of the order node."""

from uuid import uuid4

from ..handlers.handler_order import HandlerOrder
from ..models.model_order_input import ModelOrderInput


def test_prices_are_added() -> None:
    """The total is the sum of the prices."""
    request = ModelOrderInput(order_id=uuid4(), prices=[1.0, 2.5])
    assert HandlerOrder().handle(request).total == 3.5
