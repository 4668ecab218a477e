"""What a document's text says plainly of itself: title, issuer 发文机关, number 发文字号, date, language."""

import re
from pathlib import Path

from corpus.types import Metadata

MAX_TITLE_CHARS = 80
_HEAD_CHARS = 1200  # where a document names itself
_TAIL_CHARS = 400  # where a notice is signed and dated

_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,12}[〔\[［(（]\d{4}[〕\]］)）](?:第)?\d{1,5}号")
_DATE = re.compile(r"(?P<y>(?:19|20)\d{2})\s*年\s*(?P<m>\d{1,2})\s*月(?:\s*(?P<d>\d{1,2})\s*日)?")
_ISO_DATE = re.compile(r"\b(?P<y>(?:19|20)\d{2})-(?P<m>\d{2})-(?P<d>\d{2})\b")
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_ENGLISH_DATE = re.compile(
    rf"\b(?:(?P<d1>\d{{1,2}})\s+)?(?P<m>{'|'.join(_MONTHS)})\s+(?:(?P<d2>\d{{1,2}}),\s*)?(?P<y>(?:19|20)\d{{2}})\b",
    re.I,
)
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?=\s*年|\b)")
_STATED_ISSUER = re.compile(
    r"^(?:发文机关|发布机构|发布单位|印发单位|Issuer|Issued by)\s*[:：]\s*(?P<name>[^\n]{2,40})$", re.M | re.I
)
_SIGNATURE = re.compile(
    r"^(?P<name>[\u4e00-\u9fff]{2,24}(?:人民政府|人民代表大会|委员会|办公厅|办公室|国务院|厅|局|部))$", re.M
)


def language(text: str) -> str:
    """Return "zh" if at least a tenth of the letters are Chinese, else "en"."""
    letters = sum(1 for char in text if char.isalpha())
    chinese = sum(1 for char in text if "\u4e00" <= char <= "\u9fff")
    return "zh" if letters and chinese * 10 >= letters else "en"


def choose_title(stated: str | None, text: str, path: Path) -> str:
    """Return the title: what the format states, else a short first line, else the file's name.

    A first line that the file's name already holds yields to it, since 2025年广东省政府工作报告.docx says more
    than its first line 政府工作报告.
    """
    stem = path.stem.strip()
    first = text.split("\n", 1)[0].strip()
    candidate = (stated or "").strip() or (first if _looks_like_title(first) else "")
    if not candidate or candidate in stem:
        return stem
    return candidate[:MAX_TITLE_CHARS]


def read_metadata(title: str, text: str) -> Metadata:
    """Return what title, head and foot of the text say plainly; None for the rest."""
    head, tail = text[:_HEAD_CHARS], text[-_TAIL_CHARS:]
    date = _first_date(head) or _first_date(tail)
    return Metadata(
        issuer=_issuer(head, tail), number=_first(_NUMBER, f"{title}\n{head}"), date=date, year=_year(title, date)
    )


def _looks_like_title(line: str) -> bool:
    return 0 < len(line) <= MAX_TITLE_CHARS and not line.endswith(("。", "；", "，", ".", ";", ","))


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found.group() if found else None


def _issuer(head: str, tail: str) -> str | None:
    stated = _STATED_ISSUER.search(head) or _STATED_ISSUER.search(tail)
    signed = stated or _SIGNATURE.search(tail)
    return signed.group("name").strip() if signed else None


def _first_date(text: str) -> str | None:
    found = [match for pattern in (_DATE, _ISO_DATE, _ENGLISH_DATE) if (match := pattern.search(text))]
    return _iso(min(found, key=lambda match: match.start())) if found else None


def _iso(match: re.Match[str]) -> str | None:
    parts = match.groupdict()
    name = parts["m"].lower()
    month = _MONTHS.index(name) + 1 if name in _MONTHS else int(name)
    day = int(parts.get("d") or parts.get("d1") or parts.get("d2") or 0)
    if not 1 <= month <= 12 or day > 31:
        return None
    return f"{parts['y']}-{month:02}" + (f"-{day:02}" if day else "")


def _year(title: str, date: str | None) -> int | None:
    named = _YEAR.search(title)
    if named:
        return int(named.group(1))
    return int(date[:4]) if date else None
