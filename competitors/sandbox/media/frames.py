"""H.264 without an encoder: frames whose blocks are stored as plain colors (macroblock type I_PCM), by ITU-T H.264.

Each block of 16 × 16 pixels has one color, which takes 384 bytes, so frames must be small.
"""

from collections.abc import Sequence

Color = tuple[int, int, int]  # Y, Cb, Cr; none below 16, so that no run of zeros needs escaping

_BASELINE, _LEVEL_3, _I_PCM, _ALL_I_SLICES = 66, 30, 25, 7


class _Bits:
    def __init__(self) -> None:
        self.text = ""

    def fixed(self, width: int, value: int) -> "_Bits":
        self.text += f"{value:0{width}b}"
        return self

    def golomb(self, *values: int) -> "_Bits":
        """Unsigned Exp-Golomb codes."""
        for value in values:
            code = f"{value + 1:b}"
            self.text += "0" * (len(code) - 1) + code
        return self

    def aligned(self) -> bytes:
        padded = self.text + "0" * (-len(self.text) % 8)
        return int(padded, 2).to_bytes(len(padded) // 8)

    def ended(self) -> bytes:
        """With the bit that ends a unit."""
        return self.fixed(1, 1).aligned()


def sequence_set(columns: int, rows: int) -> bytes:
    """Frames of so many blocks; order of output is order of decoding (type 2)."""
    bits = _Bits().fixed(8, _BASELINE).fixed(8, 0xC0).fixed(8, _LEVEL_3).golomb(0, 0, 2, 1).fixed(1, 0)
    bits.golomb(columns - 1, rows - 1).fixed(4, 0b1100)  # whole frames, no cropping, no display data
    return b"\x67" + bits.ended()


def picture_set() -> bytes:
    return b"\x68" + _Bits().golomb(0, 0).fixed(2, 0).golomb(0, 0, 0).fixed(3, 0).golomb(0, 0, 0).fixed(3, 0).ended()


def frame(colors: Sequence[Color], number: int) -> bytes:
    """One picture that needs no other, block by block from the top left."""
    bits = _Bits().golomb(0, _ALL_I_SLICES, 0).fixed(4, 0).golomb(number % 2).fixed(2, 0).golomb(0)
    body = b""
    for y, cb, cr in colors:
        body += bits.golomb(_I_PCM).aligned() + bytes([y]) * 256 + bytes([cb]) * 64 + bytes([cr]) * 64
        bits = _Bits()
    return b"\x65" + body + bits.ended()
