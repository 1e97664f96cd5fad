"""What a picture is, by its content, and what is kept of it: its pixels, without whatever else the file tells. Pure.

A phone writes into a photo where it was taken and by whom. Nothing of that is kept: the pixels are decoded, turned the
way they were meant, made as small as a screen needs and encoded anew, so that a file is never passed on as it came.
"""

import io
import struct
import threading
import zlib
from dataclasses import dataclass
from enum import StrEnum

from PIL import Image, ImageOps

MOST_BYTES = 8_000_000
MOST_PIXELS = 50_000_000
LONGEST_SIDE, THUMBNAIL_SIDE = 2_560, 320
_PNG = b"\x89PNG\r\n\x1a\n"
_AT_ONCE = threading.Semaphore(2)  # each may take 200 MB while it decodes
# What Pillow's decoders raise for bytes that are no picture of theirs.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, OverflowError, MemoryError,
           Warning, struct.error, zlib.error)  # fmt: skip


class MediaType(StrEnum):
    """The kinds of picture that are taken."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"


_FORMATS = {MediaType.JPEG: "JPEG", MediaType.PNG: "PNG", MediaType.WEBP: "WEBP"}


class PhotoError(ValueError):
    """It is no picture, or too large; the message says which kinds are taken."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture as it is kept: encoded anew, at most 2,560 pixels a side; the thumbnail is a JPEG of at most 320."""

    media_type: MediaType
    content: bytes
    width: int
    height: int
    thumbnail: bytes


def check_photo(content: bytes) -> MediaType:
    """The kind of a picture. Raises PhotoError for anything that is not a whole JPEG, PNG or WebP of at most 8 MB."""
    if len(content) > MOST_BYTES:
        msg = f"the photo has {len(content):,} bytes; at most {MOST_BYTES:,} are taken, so make it smaller"
        raise PhotoError(msg)
    if content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in content[-65_536:]:
        return MediaType.JPEG
    if content.startswith(_PNG) and content[12:16] == b"IHDR" and content[-8:-4] == b"IEND":
        return MediaType.PNG
    size = int.from_bytes(content[4:8], "little")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and size + 8 <= len(content) <= size + 9:
        return MediaType.WEBP
    msg = f"{content[:12]!r}... is not the beginning (and end) of a whole JPEG, PNG or WebP; send one of these"
    raise PhotoError(msg)


def clean_photo(content: bytes) -> Photo:
    """What is kept of a picture. Takes a few tenths of a second for a phone's photo; at most two run at once.

    Raises PhotoError for what is no whole picture, has more than 8 MB or 50 million pixels (a small file can unpack to
    gigabytes), or is broken inside.
    """
    media_type = check_photo(content)
    with _AT_ONCE:
        try:
            return _clean(content, media_type)
        except PhotoError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise PhotoError(_too_many(str(error))) from error
        except _BROKEN as error:
            msg = f"the picture cannot be decoded ({error}); take it again"
            raise PhotoError(msg) from error


def _clean(content: bytes, media_type: MediaType) -> Photo:
    picture: Image.Image = Image.open(io.BytesIO(content), formats=[_FORMATS[media_type], "MPO"][: _kinds(media_type)])
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise PhotoError(_too_many(f"it has {width} x {height}"))
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded at a half or a quarter
    picture = ImageOps.exif_transpose(picture)
    has_alpha = media_type is not MediaType.JPEG and picture.has_transparency_data
    picture = picture.convert("RGBA" if has_alpha else "RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    picture.info = {}
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    if has_alpha:
        paper = Image.new("RGB", small.size, "white")
        paper.paste(small, mask=small.getchannel("A"))
        small = paper
    kept = _encoded(picture, _FORMATS[media_type])
    return Photo(media_type, kept, picture.width, picture.height, _encoded(small, "JPEG"))


def _kinds(media_type: MediaType) -> int:
    """Phones write a second picture behind the first: Pillow calls such a JPEG an MPO."""
    return 2 if media_type is MediaType.JPEG else 1


def _encoded(picture: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=85)
    return buffer.getvalue()


def _too_many(why: str) -> str:
    return f"the photo has too many pixels ({why}); at most {MOST_PIXELS:,} are taken, so make it smaller"
