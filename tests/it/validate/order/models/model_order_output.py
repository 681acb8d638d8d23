"""Output of the order node."""

from pydantic import BaseModel, ConfigDict, Field


class ModelOrderOutput(BaseModel):
    """What the order comes to."""

    model_config = ConfigDict(extra="forbid")

    total: float = Field(description="Sum of the prices.")
    lines: int = Field(ge=0, description="Number of lines.")
