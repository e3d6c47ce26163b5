"""The bytes of a file, which are made while they are sent: a video of 400 MB needs no memory."""

from collections.abc import Iterator
from dataclasses import dataclass

_CHUNK = 65_536


@dataclass(frozen=True)
class Content:
    mime: str
    head: bytes
    length: int
    filler: bytes = b"\0" * _CHUNK  # repeated after the head up to the length

    @classmethod
    def of(cls, mime: str, body: bytes) -> "Content":
        return cls(mime, body, len(body))

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from start to before stop."""
        while start < stop:
            size = min(_CHUNK, stop - start)
            chunk = self.head[start : start + size] if start < len(self.head) else self._filled(start - len(self.head), size)
            yield chunk
            start += len(chunk)

    def _filled(self, start: int, size: int) -> bytes:
        inside = start % len(self.filler)
        return self.filler[inside : inside + size]
