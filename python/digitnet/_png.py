"""Pictures as PNG files, without a library for pictures."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from digitnet._files import write_whole

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray


def write_png(path: str | os.PathLike[str], picture: NDArray[np.uint8]) -> None:
    """Write a picture, uint8, (height, width) for grey or (height, width, 3) for RGB (ISO/IEC 15948)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    height, width = picture.shape[:2]
    colours = 0 if picture.ndim == 2 else 2
    rows = b"".join(b"\0" + row.tobytes() for row in picture)  # each as it is
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows, 9))
    write_whole(path, b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b""))
