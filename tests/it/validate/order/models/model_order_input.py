"""Input of the order node."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ModelOrderInput(BaseModel):
    """An order with its prices."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    order_id: UUID = Field(description="The order.")
    prices: list[float] = Field(description="Price of each line.")
    class_: str | None = Field(default=None, alias="class", description="Class of the order.")
