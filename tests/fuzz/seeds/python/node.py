"""Node a."""

from enum import Enum
from typing import Annotated, Literal

from omnibase_core.nodes import NodeEffect
from pydantic import BaseModel, Field

CONTRACT_VERSION = "1.2.0"
ERROR_CODES = {"WRONG": "is wrong"}
OPERATIONS = ({"name": "send", "type": "api_call"},)


class EnumKind(str, Enum):
    """Kinds."""

    A = "a"


class ModelAInput(BaseModel):
    """In."""

    n: Annotated[int, Field(ge=0)] = 0
    kind: EnumKind | None = None
    more: dict[str, list[Literal["x", "y"]]] = Field(default_factory=dict)


class NodeAEffect(NodeEffect):
    """Sends."""

    async def execute(self, request: ModelAInput) -> "ModelAOutput":
        """Do it."""
        raise ModelOnexError("no", error_code="WRONG")
