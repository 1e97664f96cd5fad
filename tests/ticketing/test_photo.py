"""What a picture is by its content, and what is kept of it: pixels, and nothing of who took it where."""

import contextlib
import io
import random

import pytest
from pictures import WORDS, opened, picture
from PIL import Image

from ticketing.photo import LONGEST_SIDE, MOST_BYTES, THUMBNAIL_SIDE, PhotoError, check_photo, clean_photo


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_keeps_its_pixels_and_nothing_else(form: str) -> None:
    came = picture(form, (640, 400), told=True)
    assert WORDS.encode() in came
    kept = clean_photo(came)
    assert kept.media_type == f"image/{form.lower()}"
    assert (kept.width, kept.height) == (400, 640), "it is turned the way it was meant"
    for content in (kept.content, kept.thumbnail):
        assert WORDS.encode() not in content
        assert not dict(opened(content).getexif())
    assert opened(kept.content).format == form
    small = opened(kept.thumbnail)
    assert (small.format, small.size) == ("JPEG", (200, THUMBNAIL_SIDE))


def test_a_picture_is_made_as_small_as_a_screen_needs_and_the_same_one_stays_the_same() -> None:
    came = picture(size=(4_000, 3_000))
    kept = clean_photo(came)
    assert (kept.width, kept.height) == (LONGEST_SIDE, 1_920)
    assert clean_photo(came) == kept


def test_what_is_seen_through_a_signature_is_white_paper_in_its_thumbnail() -> None:
    drawn, buffer = Image.new("RGBA", (400, 100), (0, 0, 0, 0)), io.BytesIO()
    drawn.save(buffer, "PNG")
    kept = clean_photo(buffer.getvalue())
    assert opened(kept.content).mode == "RGBA"
    assert opened(kept.thumbnail).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_every_way_of_keeping_colours_is_taken(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (30, 20)).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
    assert clean_photo(buffer.getvalue()).width == 30


def test_a_small_file_that_unpacks_to_gigabytes_is_refused() -> None:
    for side in (9_000, 20_000):
        buffer = io.BytesIO()
        Image.new("1", (side, side)).save(buffer, "PNG")
        assert len(buffer.getvalue()) < MOST_BYTES / 100
        with pytest.raises(PhotoError, match="too many pixels"):
            clean_photo(buffer.getvalue())


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<svg onload='x'/>", b"GIF89a" + bytes(20), picture()[:-200], picture("PNG")[:-3], b"%PDF-1.7",
        picture() + bytes(MOST_BYTES), b"\xff\xd8\xff\xe0picture\xff\xd9", b"MZ this is a program",
    ],
)  # fmt: skip
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(PhotoError):
        clean_photo(content)


def test_a_damaged_picture_is_refused_or_taken_and_never_an_error_of_ours() -> None:
    dice = random.Random(7)
    for form in ("JPEG", "PNG", "WEBP"):
        whole = picture(form, told=True)
        for _ in range(150):
            damaged = bytearray(whole)
            for _ in range(dice.randint(1, 5)):
                damaged[dice.randrange(len(damaged) - 12)] = dice.randrange(256)
            with contextlib.suppress(PhotoError):
                clean_photo(bytes(damaged))


def test_a_second_picture_behind_the_first_is_left_out() -> None:
    first, buffer = Image.new("RGB", (40, 30)), io.BytesIO()
    first.save(buffer, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30), "red")])
    assert check_photo(buffer.getvalue()) == "image/jpeg"
    assert opened(clean_photo(buffer.getvalue()).content).format == "JPEG"
