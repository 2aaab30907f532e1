"""Which characters can be printed: those of our own fonts, and of the fonts that this machine has.

A PDF/UA must not show the box of a missing glyph, and nobody can read one. What no font has is printed as its name
in brackets ("[grinning face]"), so that no word is lost, and is reported to its author.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

__all__ = ["own_characters", "spelled_out"]

_OWN = Path(__file__).resolve().parent / "static" / "print"


@cache
def own_characters() -> frozenset[int]:
    """The code points of our own fonts."""
    found: set[int] = set()
    for path in _OWN.glob("*-400-normal.woff2"):
        with TTFont(path) as font:
            found.update(font.getBestCmap() or ())
    return frozenset(found)


def spelled_out(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` with the characters that no font has spelled out, and those characters, each once."""
    own = own_characters()
    missing = {
        char: _name(char)
        for char in set(text)
        if ord(char) not in own and not _is_silent(char) and not _some_font_has(ord(char))
    }
    if not missing:
        return text, ()
    return text.translate({ord(char): name for char, name in missing.items()}), tuple(sorted(missing))


def _is_silent(char: str) -> bool:
    """Controls, joiners and variation selectors have no glyph of their own."""
    return unicodedata.category(char) in ("Cc", "Cf") or "\ufe00" <= char <= "\ufe0f" or char >= "\U000e0000"


def _name(char: str) -> str:
    if unicodedata.category(char).startswith("Z"):
        return " "
    if unicodedata.category(char) in ("So", "Sk", "Sm", "Sc"):
        name = unicodedata.name(char, "")
        if name:
            return f"[{name.lower()}]"
    return f"[U+{ord(char):04X}]"


#: The kinds of fonts that Pango draws with. A Type 1 font on the machine (they come with Ghostscript) helps nobody.
_DRAWN = ("TrueType", "CFF")


@lru_cache(maxsize=20_000)
def _some_font_has(point: int) -> bool:
    return any(_font_of(kind, point) for kind in _DRAWN)


def _font_of(kind: str, point: int) -> bool:
    fontconfig = _fontconfig()
    if fontconfig is None:
        return True
    pattern = fontconfig.FcNameParse(f":fontformat={kind}:charset={point:x}".encode())
    wanted = fontconfig.FcObjectSetCreate()
    found = fontconfig.FcFontList(None, pattern, wanted)
    try:
        return bool(found and found.contents.count)
    finally:
        if found:
            fontconfig.FcFontSetDestroy(found)
        fontconfig.FcObjectSetDestroy(wanted)
        fontconfig.FcPatternDestroy(pattern)


class _FontSet(ctypes.Structure):
    _fields_ = (("count", ctypes.c_int), ("room", ctypes.c_int), ("fonts", ctypes.c_void_p))


@cache
def _fontconfig() -> ctypes.CDLL | None:
    """The library that the PDF maker itself asks for fonts; None where it goes by a name that we do not know."""
    for name in ("libfontconfig.so.1", "libfontconfig.1.dylib", ""):
        try:
            found = name or ctypes.util.find_library("fontconfig")
            library = ctypes.CDLL(found) if found else None
        except OSError:
            continue
        if library is not None:
            library.FcNameParse.restype = ctypes.c_void_p
            library.FcNameParse.argtypes = [ctypes.c_char_p]
            library.FcObjectSetCreate.restype = ctypes.c_void_p
            library.FcFontList.restype = ctypes.POINTER(_FontSet)
            library.FcFontList.argtypes = [ctypes.c_void_p] * 3
            library.FcFontSetDestroy.argtypes = [ctypes.POINTER(_FontSet)]
            library.FcObjectSetDestroy.argtypes = [ctypes.c_void_p]
            library.FcPatternDestroy.argtypes = [ctypes.c_void_p]
            return library
    return None
