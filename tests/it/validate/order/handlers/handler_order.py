"""Behaviour of the order node."""

from ..models.model_order_input import ModelOrderInput
from ..models.model_order_output import ModelOrderOutput


class HandlerOrder:
    """Stateless: one request in, one response out."""

    def handle(self, request: ModelOrderInput) -> ModelOrderOutput:
        """Add up the prices."""
        return ModelOrderOutput(total=sum(request.prices), lines=len(request.prices))
