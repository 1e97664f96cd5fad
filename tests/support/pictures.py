"""Pictures as phones take them, for tests."""

import io

from PIL import Image

PLACE, WORDS = (31.0, 14.0, 22.0), "taken by Wang's phone"


def picture(form: str = "JPEG", size: tuple[int, int] = (64, 48), shade: int = 90, *, told: bool = False) -> bytes:
    """A grey picture of a format. `told`: it says where it was taken, in words what it is, and that it lies on its
    side."""
    made, exif, buffer = Image.new("RGB", size, (shade, shade, shade)), Image.Exif(), io.BytesIO()
    made.putpixel((0, 0), (255, 0, 0))
    if told:
        exif[0x0112], exif[0x010E] = 6, WORDS
        exif.get_ifd(0x8825)[2] = PLACE
    made.save(buffer, form, exif=exif)
    return buffer.getvalue()


def noise(size: tuple[int, int]) -> bytes:
    """A PNG picture of nothing that no format makes small by itself."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 80).save(buffer, "PNG")
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    """A picture to look at."""
    return Image.open(io.BytesIO(content))
