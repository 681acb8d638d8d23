# place: models/model_order_input.py
"""Input of the order node."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ModelOrderInput(BaseModel):  #! completeness.field
    """An order with its prices."""

    model_config = ConfigDict(extra="forbid")

    order_id: UUID = Field(description="The order.")
    prices: list[float] = Field(description="Prices.")
    note: str = Field(..., description="A note.")  #! correctness.required-field
    colour: str = Field(default="red", description="A colour.")
    colours: list[str] = Field(default_factory=list)
