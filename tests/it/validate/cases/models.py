# place: models/order.py #! compliance.file-name
"""Two models and an enum."""

import typing as t
from enum import Enum
from typing import Any, Union

from pydantic import BaseModel, ConfigDict


class ModelOne(BaseModel):  #! compliance.extra-forbid
    """A model that takes anything."""

    value: Any  #! compliance.any
    other: dict[str, t.Any]  #! compliance.any
    wide: int | str | float | bool  #! compliance.union
    mixed: Union[int, str, list[int]]  #! compliance.union
    fine: int | str | None


class Two(BaseModel):  #! compliance.class-name compliance.one-model-per-file compliance.extra-forbid
    """A model of another name."""

    model_config = ConfigDict(extra="ignore")  # noqa: not forbid

    name: str


class EnumColour(str, Enum):  #! compliance.one-model-per-file
    """Colours."""

    RED = "red"
