# place: handlers/handler_order.py
"""Behaviour of the order node."""

from ..models.model_order_input import ModelOrderInput
from ..models.model_order_input import ModelOther  #! correctness.import
from ..models.nowhere import thing  #! correctness.import
from .. import models, other  #! correctness.import

KNOWN = [ModelOther, thing, models, other, unknown]  #! correctness.undefined-name


class HandlerOrder:
    """Knows little."""

    limit = 3

    def handle(self, request: ModelOrderInput) -> float:  #! correctness.signature
        """Refer to a class variable as if it were a name."""
        total = [price for price in request.prices if price > limit]  #! correctness.undefined-name
        return sum(total) + reuqest.size  #! correctness.undefined-name
        print("done")  #! correctness.unreachable

    def untyped(self, first, second=None):  #! correctness.annotation correctness.annotation correctness.annotation
        """Say nothing of types."""
        return first or second

    def handle(self) -> None:  #! correctness.duplicate-definition correctness.signature
        """Hide the first one."""
        raise NotImplementedError("later")  #! correctness.not-implemented

    def nothing(self) -> None:  #! correctness.not-implemented
        """Do nothing."""

    def empty(self) -> None:  #! correctness.not-implemented
        """Do nothing either."""
        pass

    def shared(
        self,
        found: list[int] = [],  #! correctness.mutable-default
        seen: set[int] = set(),  #! correctness.mutable-default
    ) -> list[int]:
        """Keep what it found."""
        for item in found:
            if item in seen:
                continue
                seen.add(item)  #! correctness.unreachable
            break
        return found
