"""COMPUTE node: adds up the lines of an order."""

import time

from omnibase_core.models.container.model_onex_container import ModelONEXContainer
from omnibase_core.nodes import ModelComputeInput, ModelComputeOutput, NodeCompute

from .handlers.handler_order import HandlerOrder
from .models.model_order_input import ModelOrderInput
from .models.model_order_output import ModelOrderOutput


class NodeOrderCompute(NodeCompute[ModelOrderInput, ModelOrderOutput]):
    """Adds up the lines of an order."""

    def __init__(self, container: ModelONEXContainer) -> None:
        """Create the node inside a container."""
        super().__init__(container)
        self._handler = HandlerOrder()

    async def execute(self, request: ModelOrderInput) -> ModelOrderOutput:
        """Run the node on a plain request."""
        return self._handler.handle(request)

    async def process(
        self, input_data: ModelComputeInput[ModelOrderInput]
    ) -> ModelComputeOutput[ModelOrderOutput]:
        """Run the node on a request in the runtime's envelope."""
        started = time.perf_counter()
        result = await self.execute(input_data.data)
        return ModelComputeOutput[ModelOrderOutput](
            result=result,
            operation_id=input_data.operation_id,
            computation_type=input_data.computation_type,
            processing_time_ms=(time.perf_counter() - started) * 1000.0,
        )
