"""A recorded file as numbered lines or as blocks of bytes: plain, gzip or xz, told by its first bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from exchange.errors import DataError, NotFound

GZIP: Final = b"\x1f\x8b"
XZ: Final = b"\xfd7zXZ\x00"
LINE_MAX: Final = 1 << 22  # bytes
DIGITS_MAX: Final = 19
SHOWN_MAX: Final = 40

Progress = Callable[[int, int], None]  # done, in all (0 if that is not known)


class Source:
    """One file on disk.  Reading raises NotFound if there is none and DataError where it is damaged."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def error(self, why: str, line: int = 0) -> DataError:
        return DataError(why, str(self.path), line)

    def lines(self) -> Iterator[tuple[int, str]]:
        """(number from 1, text without its line break)."""
        number = 0
        for block in self.blocks():
            try:
                lines = block.decode().split("\n")
            except UnicodeDecodeError:
                raise self.error("is not UTF-8 text", number + 1) from None
            if not lines[-1]:
                lines.pop()
            for line in lines:
                number += 1
                yield number, line.rstrip("\r")

    def blocks(self, size: int = 1 << 16, progress: Progress | None = None) -> Iterator[bytes]:
        """Contents in pieces that end with a line, but for the last."""
        import lzma
        import zlib

        tail = b""
        try:
            with self.path.open("rb") as raw, self._unpacked(raw) as file:
                total = self.path.stat().st_size
                while block := file.read(size):
                    cut = block.rfind(b"\n") + 1
                    if cut:
                        yield tail + block[:cut]
                        tail = block[cut:]
                    else:
                        tail += block
                    if len(tail) > LINE_MAX:
                        raise self.error(f"a line has more than {LINE_MAX} bytes")
                    if progress is not None:
                        progress(raw.tell(), total)
        except FileNotFoundError:
            raise NotFound(f"there is no file {self.path}") from None
        except (EOFError, zlib.error, lzma.LZMAError) as error:
            raise self.error(f"the compressed data is damaged or cut off: {error}") from None
        except OSError as error:
            raise self.error(f"cannot be read: {error.strerror or error}") from None
        if tail:
            yield tail

    def _unpacked(self, raw: BinaryIO) -> BinaryIO:
        start = raw.read(len(XZ))
        raw.seek(0)
        if start.startswith(GZIP):
            import gzip

            return cast("BinaryIO", gzip.GzipFile(fileobj=raw))
        if start == XZ:
            import lzma

            return cast("BinaryIO", lzma.LZMAFile(raw))
        return raw


def shown(text: str) -> str:
    """A field of a file inside an error message."""
    return ascii(text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "...")


def whole(text: str, field: str) -> int:
    """A whole number, not negative.  Raises ValueError naming the field."""
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS_MAX:
        raise ValueError(f"{field} {shown(text)} is not a whole number")
    return int(text)


def scaled(text: str, decimals: int, field: str) -> int:
    """An exact decimal times 10**decimals, not negative.  Raises ValueError naming the field."""
    before, _, after = text.partition(".")
    if len(after) > decimals:
        after = after.rstrip("0")
    digits = before + after.ljust(decimals, "0")
    is_number = digits.isdigit() and digits.isascii() and text not in ("", ".")
    if not is_number or len(after) > decimals or len(text) > SHOWN_MAX:
        raise ValueError(f"{field} {shown(text)} is not a decimal number with at most {decimals} decimals")
    return int(digits)


def decimals_of(text: str) -> int:
    """Decimals in use: "1.50" has one."""
    return len(text.partition(".")[2].rstrip("0"))
