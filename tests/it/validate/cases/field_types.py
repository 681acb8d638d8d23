# place: models/model_order_input.py
"""Input of the order node."""

from pydantic import BaseModel, ConfigDict, Field


class ModelOrderInput(BaseModel):  #! completeness.field
    """An order with its prices."""

    model_config = ConfigDict(extra="forbid")

    order_id: str = Field(description="The order.")  #! correctness.field-type
    prices: list[int] = Field(description="Prices.")  #! correctness.field-type
