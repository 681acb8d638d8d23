# place: handlers/handler_order.py
"""What functions give back."""

import asyncio

from ..models.model_order_input import ModelOrderInput
from ..models.model_order_output import ModelOrderOutput


class HandlerOrder:
    """Drops coroutines."""

    def handle(self, request: ModelOrderInput) -> str:  #! correctness.signature
        """Give something else."""
        self.save()  #! correctness.missing-await
        self.plain()
        kept = self.save()
        return str(request) + str(kept)

    async def save(self) -> None:
        """Forget to wait."""
        asyncio.sleep(1)  #! correctness.missing-await
        await asyncio.sleep(1)
        fetch()  #! correctness.missing-await
        await fetch()
        asyncio.create_task(fetch())

    def plain(self) -> None:
        """Say nothing, and return something."""
        if self:
            return 3  #! correctness.return-type
        return print(self)

    def promised(self) -> ModelOrderOutput:  #! correctness.return-type
        """Promise something, and return nothing."""
        print(self)

    def optional(self) -> int | None:
        """May return nothing."""
        print(self)

    def refuses(self) -> int:
        """Always raises."""
        raise ValueError(self)


async def fetch() -> None:
    """Count."""
    count = 0
    spare = 3  #! correctness.unused-variable
    _ignored = 4

    def step() -> None:
        nonlocal count
        count = 1

    step()
    total = 5
    print(lambda: total)
