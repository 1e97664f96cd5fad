"""Half-width marks where Chinese has its own: `水箱, 水泵` for `水箱、水泵`."""

import re

_CHINESE = "[\u3400-\u9fff]"
_MARK = re.compile(rf"{_CHINESE}[”」）]?\s?[,:;()!?]\s?[“「（]?{_CHINESE}")
_INLINE = re.compile(r"</?(a|b|i|em|strong)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")


def half_width(text: str) -> list[str]:
    """Each mark between two Chinese words of a text, with them."""
    return _MARK.findall(text)


def half_width_on(page: str) -> list[str]:
    """Those a reader of this HTML sees: links and stress may stand between the words, and attributes hold texts too."""
    return half_width(_TAG.sub("\n\n", _INLINE.sub("", page))) + half_width(page)
