"""What a photo is, by its content: never by its name or by what the sender says. Pure."""

from enum import StrEnum

MOST_BYTES = 8_000_000
_PNG = b"\x89PNG\r\n\x1a\n"


class MediaType(StrEnum):
    """The kinds of photo that are taken."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"


class PhotoError(ValueError):
    """It is no photo, or too large; the message says which kinds are taken."""


def check_photo(content: bytes) -> MediaType:
    """The kind of a photo. Raises PhotoError for anything that is not a whole JPEG, PNG or WebP of at most 8 MB."""
    if len(content) > MOST_BYTES:
        msg = f"the photo has {len(content):,} bytes; at most {MOST_BYTES:,} are taken, so make it smaller"
        raise PhotoError(msg)
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\x00").endswith(b"\xff\xd9"):
        return MediaType.JPEG
    if content.startswith(_PNG) and content[12:16] == b"IHDR" and content[-8:-4] == b"IEND":
        return MediaType.PNG
    size = int.from_bytes(content[4:8], "little")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and size + 8 <= len(content) <= size + 9:
        return MediaType.WEBP
    msg = f"{content[:12]!r}... is not the beginning (and end) of a whole JPEG, PNG or WebP; send one of these"
    raise PhotoError(msg)
