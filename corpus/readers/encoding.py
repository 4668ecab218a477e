"""Bytes to text: the one place that guesses an encoding. Knows no formats."""

import codecs
import re

from charset_normalizer import from_bytes

from corpus.errors import UnreadableDocumentError

# Longest first: UTF-32's mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ["gb18030", "big5", "big5hkscs", "shift_jis", "euc_kr", "cp1252"]
_SAMPLE_BYTES = 200_000
_MAX_BROKEN_SHARE = 0.01  # of the characters beyond ASCII, for a text to count as damaged UTF-8

# Two bytes as GB2312 writes its marks (rows 1-9) and its 3,755 common characters (rows 16-55).
_COMMON_GB = re.compile(rb"[\xa1-\xa9\xb0-\xd7][\xa1-\xfe]")
_HIGH_PAIR = re.compile(rb"[\x80-\xff].", re.DOTALL)
_MIN_COMMON_SHARE = 0.7  # rarer characters stand among them; of Big5 text less than half looks like this

_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")

# Text of one European script, or with any character that takes three bytes or more in UTF-8.
_PLAUSIBLE = re.compile(
    r"[\x00-\u017f]*|[\x00-\x7f\u0370-\u03ff]*|[\x00-\x7f\u0400-\u045f]*|.*[\u0800-\U0010ffff].*", re.DOTALL
)


def decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """The text and warnings. Byte order mark, UTF-8, GB18030 and then what charset-normalizer finds.

    Raises UnreadableDocumentError, naming the file, if no encoding fits.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _with_losses(content.decode(encoding, "replace"))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_other(content, name)
    return (content.decode("gb18030") if _is_mistaken(text, content) else text), ()


def decode_as(content: bytes, label: str, name: str) -> tuple[str, tuple[str, ...]]:
    """The text by an encoding that the file itself names; by `decode` if that does not fit.

    GB2312 and GBK are read as GB18030, which holds both: files often name less than they use.
    """
    encoding = "gb18030" if label.lower() in {"gb2312", "gbk", "x-gbk", "gb_2312-80"} else label
    try:
        return content.decode(encoding), ()
    except (UnicodeDecodeError, LookupError):
        return decode(content, name)


def _is_mistaken(text: str, content: bytes) -> bool:
    """True for a few Chinese words in GB18030 that happen to be valid UTF-8, as those of "通知" and "联通" are.

    Read so, they are letters of several scripts or bare accents, not words of one European script.
    """
    sample = text[:_SAMPLE_BYTES]
    return not sample.isascii() and _PLAUSIBLE.fullmatch(sample) is None and _is_common_gb(content)


def _decode_other(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    mended = content.decode("utf-8", "replace")
    if mended.count("\ufffd") <= _MAX_BROKEN_SHARE * sum(not character.isascii() for character in mended):
        return _with_losses(mended)
    encoding = "gb18030" if _is_common_gb(content) else _guess(content)
    if encoding is None:
        raise UnreadableDocumentError(f"{name}: its character encoding is not recognised; save it as UTF-8")
    return _with_losses(content.decode(encoding, "replace"))


def _is_common_gb(content: bytes) -> bool:
    """True if nearly all byte pairs are everyday simplified Chinese, as few as there may be.

    The library takes "GDP 增长 5%" for Big5: in so short a text all it can weigh is chance.
    """
    sample = content[:_SAMPLE_BYTES]
    pairs = [pair[0] for pair in _HIGH_PAIR.finditer(sample)]
    common = sum(_COMMON_GB.fullmatch(pair) is not None for pair in pairs)
    return bool(pairs) and common >= _MIN_COMMON_SHARE * len(pairs) and _makes_sense(sample, "gb18030")


def _guess(content: bytes) -> str | None:
    """What the library finds, else the first Chinese encoding under which the text makes sense at all."""
    sample = content[:_SAMPLE_BYTES]
    best = from_bytes(sample, cp_isolation=_CANDIDATES).best()
    found = [best.encoding] if best else []
    return next((encoding for encoding in (*found, "big5hkscs", "gb18030") if _makes_sense(sample, encoding)), None)


def _makes_sense(sample: bytes, encoding: str) -> bool:
    """True if the bytes are valid and give no private-use characters, as Big5 read as GB18030 does."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)  # the sample may end within a character
    except UnicodeDecodeError:
        return False
    return _PRIVATE_USE.search(text) is None


def _with_losses(text: str) -> tuple[str, tuple[str, ...]]:
    lost = text.count("\ufffd")
    return text, (f"{lost} characters could not be decoded and show as \ufffd",) if lost else ()
