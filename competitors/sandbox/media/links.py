"""Signed links of media, as Meta's CDN has them: the path names the content, ``oe=`` is when the link expires."""

import hashlib
from dataclasses import dataclass

CDN = "/cdn"  # every address of a picture or a video begins with this
_PICTURES, _VIDEOS = "v/t39.35426-6", "v/t42.1790-2"


@dataclass(frozen=True)
class Links:
    """Makes links that expire at one moment."""

    base_url: str  # the sandbox's address
    expires: int  # epoch seconds

    def picture(self, name: str, pixels: int = 1080) -> str:
        """The content follows from name and size, so another link to the same picture brings the same bytes."""
        return self._signed(f"{_PICTURES}/{_number(name)}_n.jpg", f"stp=dst-jpg_s{pixels}x{pixels}&")

    def video(self, name: str, quality: str = "hd") -> str:
        return self._signed(f"{_VIDEOS}/{_number(f'{name}:{quality}')}_n.mp4", "")

    def _signed(self, path: str, options: str) -> str:
        signature = hashlib.sha256(f"{path}{self.expires}".encode()).hexdigest()[:24]
        query = f"{options}_nc_cat=108&ccb=1-7&oh=00_{signature}&oe={self.expires:08X}"
        return f"{self.base_url}{CDN}/{path}?{query}"


def _number(name: str) -> str:
    """Two long numbers, as Meta names its files."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"{int.from_bytes(digest[:4]) % 900_000_000 + 100_000_000}_{int.from_bytes(digest[4:12]) % 10**16:016d}"
