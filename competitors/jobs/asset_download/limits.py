"""How much one run downloads at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    fewest: int
    usual: int
    most: int

    def read(self, value: Any) -> int:
        """The number that a parameter or a form's field holds; the usual one if it holds none."""
        digits = str(value)
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else self.usual


VIDEOS, IMAGES = Range(5, 20, 100), Range(10, 40, 200)


@dataclass(frozen=True)
class Limits:
    videos: int
    images: int

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Limits":
        return cls(VIDEOS.read(parameters.get("max_videos")), IMAGES.read(parameters.get("max_images")))
