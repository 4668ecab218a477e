"""The figures of a sentence, normalised: numbers with their units, percentages, dates, ordinals. Pure.

What is read, by example (value, unit, kind):
- 1.75万名, 17,500 名, 17500人 -> 17500, 人, number; 12.8 billion, 128亿 -> 12800000000; １２．８, 十二点八 -> 12.8;
  三千二百 -> 3200
- 390万吨 -> 3900000000, 公斤 (units.py has the table); US$3.5 billion, 35亿美元 -> 3500000000, 美元
- 5.2%, ５.２％, 百分之五点二, 5.2 per cent -> 5.2, percent; 三成 -> 30, 一半 and 过半 -> 50; 2‰ -> 0.2; 三分之一 ->
  1/3, number
- 5.2个百分点, 5.2 percentage points -> 5.2, percentage_point
- 5%-6%, 5至6%, 5-6 per cent -> two figures; the first takes kind and unit, and 万 or 亿 (3-5亿元), from the second
- 2024年3月5日, 二〇二四年三月五日, 2024-03-05, March 5, 2024 -> date; parts may lack: 11月15日, 2024年; 2024-2026年
  is two dates; a bare 1900 to 2099 without a unit is a year
- 上半年 -> "H1", 第一季度 and Q1 -> "Q1", 前三季度 -> "Q1-Q3", period
- 第4位, 4th, No. 4 -> 4, ordinal; “十四五” -> 14, 五年规划, ordinal
- 国发〔2024〕12号 -> "2024/12", PM2.5, 5G, 9:30, 1.2.3 -> as written, code
- 约, 左右, 近 -> qualifier "about"; 超过, 以上, 余, at least -> "above"; 不足, 以下, at most -> "below"

List numbers at a line's head (1. （二） 三、) are no figures. A spelled number that is often a plain word (一个,
两个方面, 十分) is `weak`: a source may say it, a claim does not have to prove it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from chatbot.numerals import EN_LARGE, EN_WORDS, ZH_CHARS, en_number, zh_number
from chatbot.units import is_weak_after_word, unit_at
from corpus.types import Span


class Kind(StrEnum):
    """What a figure counts; figures of two kinds never carry each other."""

    NUMBER = "number"
    PERCENT = "percent"
    PERCENTAGE_POINT = "percentage_point"
    DATE = "date"
    PERIOD = "period"
    ORDINAL = "ordinal"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class DateParts:
    """A date as far as it is said."""

    year: int | None = None
    month: int | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and its place. `value` is in `unit` ("" if none is known); a period or a code is a string."""

    span: Span  # with multiplier, unit and sign, without qualifiers
    value: Decimal | DateParts | str
    unit: str
    kind: Kind
    qualifier: str = ""  # "about", "above", "below" or ""
    weak: bool = False


_MAX_DIGITS = 24  # longer runs are names of something, not amounts
_ZH = f"[{ZH_CHARS}]"
_NUM = r"(?:[0-9]{1,3}(?:[,\u00a0\u2009\u202f][0-9]{3}){1,8}(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
_TO = r"\s?(?:[-–—~]{1,2}|至|到|to\s)\s?"
_YEAR = r"(?:[12][0-9]{3}|[零〇○一二三四五六七八九]{4})"
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9]|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_EN_MONTHS = "january february march april may june july august september october november december"
_EN_MONTH = "(?:" + "|".join(f"{m[:3]}(?:{m[3:]}|t?\\.?)" if m != "may" else m for m in _EN_MONTHS.split()) + ")"
_EN_WORD = "(?:" + "|".join(sorted((*EN_WORDS, *EN_LARGE), key=len, reverse=True)) + ")"
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4, "两": 2, "first": 1, "second": 2, "third": 3, "fourth": 4}

_RULES = {  # the first that matches at a place is taken
    "list": r"^[ \t*#>-]{0,8}[(（]?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})[)）.、](?![0-9])",
    "doc": r"[〔\[(（【](?P<doc_year>(?:19|20)[0-9]{2})[〕\])）】]\s?第?(?P<doc_no>[0-9]{1,5})\s?号",
    "iso": r"(?<![0-9.-])(?P<iso_y>(?:19|20)[0-9]{2})(?P<iso_sep>[-/.])(?P<iso_m>1[0-2]|0?[1-9])"
    r"(?P=iso_sep)(?P<iso_d>3[01]|[12][0-9]|0?[1-9])(?![0-9.])",
    "iso_month": r"(?<![0-9.-])(?P<isom_y>(?:19|20)[0-9]{2})-(?P<isom_m>1[0-2]|0[1-9])(?![0-9-])",
    "version": r"[0-9]{1,6}(?:\.[0-9]{1,6}){2,8}",
    "clock": r"(?<![0-9:])[0-2]?[0-9][:：][0-5][0-9](?![0-9])",
    "ymd": rf"(?<![0-9.,])(?P<y>{_YEAR})\s?年度?(?:\s?(?P<y_m>{_MONTH})\s?月份?(?:\s?(?P<y_d>{_DAY})\s?[日号])?)?",
    "md": rf"(?<![0-9.,])(?P<m>{_MONTH})\s?月份?(?![亮球饼嫂])(?:\s?(?P<m_d>{_DAY})\s?[日号](?!线))?",
    "year_to": rf"(?<![0-9.,])(?P<to_y>[12][0-9]{{3}})(?={_TO}[12][0-9]{{3}}\s?年)",
    "month_to": rf"(?<![0-9.,])(?P<to_m>1[0-2]|0?[1-9])(?={_TO}(?:1[0-2]|0?[1-9])\s?月)",
    "day_to": rf"(?<![0-9.,])(?P<to_d>3[01]|[12][0-9]|0?[1-9])(?={_TO}(?:3[01]|[12][0-9]|0?[1-9])\s?日)",
    "day": r"(?<![0-9.,])(?P<d>3[01]|[12][0-9]|0?[1-9])\s?日(?!元)",
    "en_mdy": rf"(?<![a-z])(?P<mdy_m>{_EN_MONTH})\s(?P<mdy_d>3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?(?![0-9])"
    r"(?:,?\s(?P<mdy_y>[12][0-9]{3})(?![0-9]))?",
    "en_dmy": rf"(?<![0-9.,])(?P<dmy_d>3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?\s(?:of\s)?"
    rf"(?P<dmy_m>{_EN_MONTH})(?![a-z])"
    r"(?:,?\s(?P<dmy_y>[12][0-9]{3})(?![0-9]))?",
    "en_my": rf"(?<![a-z])(?P<my_m>{_EN_MONTH}),?\s(?:of\s)?(?P<my_y>[12][0-9]{{3}})(?![0-9])",
    "half": r"(?P<half>[上下])半年|(?<![a-z])(?P<en_half>first|second) half(?= of|\s(?:19|20)[0-9]{2})",
    "quarters": r"前(?P<qs>[二两三123])个?季度|(?<![a-z])first (?P<en_qs>two|three) quarters",
    "quarter": r"第?(?P<q>[一二三四1-4])季度|(?<![a-z0-9])q(?P<q_latin>[1-4])(?![a-z0-9])"
    r"|(?<![a-z])(?P<q_en>first|second|third|fourth)[ -]quarter",
    "plan": r"[“\"'‘「]?十(?P<plan>[一二三四五六]?)五[”\"'’」](?!年)"
    r"|十(?P<plan2>[一二三四五六]?)五(?=规划|计划|时期|期间|以来|开局|收官)"
    rf"|第(?P<plan_no>[0-9]{{1,2}}|{_ZH}{{1,3}})个五年(?:规划|计划)|(?P<plan_en>[0-9]{{1,2}})th five[- ]year plan",
    "zh_percent": rf"百分之(?P<pc>{_NUM}|{_ZH}{{1,12}})"
    rf"(?:(?:[-–—~至到]{{1,2}})(?:百分之)?(?P<pc_to>{_NUM}|{_ZH}{{1,12}}+)(?!\s?[0-9.%万亿千百元美港欧]))?",
    "half_share": r"一半|半数|过半|(?<![a-z])half (?:of|the)(?![a-z])",
    "fraction": rf"(?P<below_zh>{_ZH}{{1,8}}|[0-9]{{1,4}})分之(?P<above_zh>{_ZH}{{1,8}}|[0-9]{{1,4}})",
    "tenths": r"(?<![一-九])(?P<tenths>[一二两三四五六七八九]|[0-9](?:\.[0-9])?)成(?P<half_tenth>[一二三四五六七八九])?"
    r"(?![立为果功本员效都长熟绩交品型就人不年份分一-九])",
    "ordinal": rf"第\s?(?P<nth>[0-9]{{1,6}}|{_ZH}{{1,8}})(?:位|名)?"
    r"|(?<![0-9.,])(?P<en_nth>[0-9]{1,4})(?:st|nd|rd|th)(?![a-z])|(?<![a-z])no\.?\s?(?P<no>[0-9]{1,5})(?![0-9])",
    "amount": rf"(?P<cur>(?:us\$|hk\$|\$|¥|€|£|(?<![a-z])(?:usd|rmb|cny|eur))\s?)?"
    rf"(?P<sign>(?:(?<=[\s|(（:：，,])|^)-)?(?P<num>{_NUM})",
    "label": r"(?<![a-z])[a-z]{1,8}-?[0-9]{1,6}(?:\.[0-9]{1,4})?(?![0-9])",
    "words": rf"(?<![a-z])(?P<words>{_EN_WORD}(?:(?: and |[ -]){_EN_WORD}){{0,5}})(?![a-z])",
    "zh": rf"(?P<zh>{_ZH}{{1,{_MAX_DIGITS}}})",
}
_MAY_BEGIN = rf"(?:^|(?=[0-9{ZH_CHARS}第上下前半过〔\[(（【“\"'‘「$¥€£-])|(?<![a-z])(?=[a-z]))"  # spares most places
_ANY = re.compile(
    _MAY_BEGIN + "(?:" + "|".join(f"(?P<rule_{name}>{_RULES[name]})" for name in _RULES) + ")", re.MULTILINE
)

_POINTS = re.compile(r"\s?个?百分点|[\s-]?percentage[ -]points?|\s?per ?cent points?|\s?pps?(?![a-z])")
_PERCENT = re.compile(r"\s?(?:%|percent(?![a-z])|per cent(?![a-z])|pct(?![a-z]))")
_PERMILLE = re.compile(r"\s?‰")
_TIMES = re.compile(
    r"(?P<more>[多余])?(?P<times>\s?(?:万亿|千亿|百亿|亿|千万|百万|十万|万|千(?![瓦米克卡伏帕赫焦])|百(?!分)|兆(?![瓦帕赫])"
    r"|-?(?:hundred|thousand|million|billion|trillion|bn|mn)(?![a-z])))?(?P<more2>[多余])?"
)
_LARGE = {"万亿": 10**12, "千亿": 10**11, "百亿": 10**10, "亿": 10**8, "千万": 10**7, "百万": 10**6, "十万": 10**5,
          "万": 10**4, "千": 10**3, "百": 100, "兆": 10**6, "bn": 10**9, "mn": 10**6, **EN_LARGE}  # fmt: skip
_CURRENCY = {"us$": "美元", "$": "美元", "usd": "美元", "hk$": "港元", "¥": "元", "rmb": "元", "cny": "元", "€": "欧元",
             "eur": "欧元", "£": "英镑"}  # fmt: skip
_RANGE = re.compile(rf"{_TO}(?=(?P<num>{_NUM}))")
_LATIN_TAIL = re.compile(r"[a-z]{1,10}")
_BEFORE = re.compile(
    r"(?:(?P<below>不到|不足|不超过|低于|少于|未达|至多|小于"
    r"|less than|fewer than|under|below|up to|at most|no more than)"
    r"|(?P<above>超过|超|逾|突破|多于|高于|大于|不低于|不少于|至少|more than|over|above|at least|exceed(?:s|ed|ing)?)"
    r"|(?P<about>大约|约|将近|接近|近|about|around|nearly|almost|approximately|some|roughly))(?:为|达到?|到|至)?\s?[“\"]?$"
)
_AFTER = re.compile(
    r"\s?(?:(?P<above>以上|or more|or above)|(?P<below>以下|以内|or less|or below)|(?P<about>左右|上下|or so))"
)
_WIDE_COMMA = re.compile(r"(?<=[０-９])，(?=[０-９])")
_NARROW = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
    | {chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
    | {chr(code): chr(code - 0xFEE0 + 32) for code in range(0xFF21, 0xFF3B)}
    | {"％": "%", "﹪": "%", "．": ".", "－": "-", "−": "-", "～": "~", "〜": "~", "＄": "$", "￥": "¥", "\u3000": " "}
)


def narrow(text: str) -> str:
    """`text` with half-width digits, letters and signs, in lower case; every character keeps its offset."""
    return _WIDE_COMMA.sub(",", text).translate(_NARROW)


def find_figures(text: str) -> tuple[Figure, ...]:
    """The figures of `text` in order, without overlap. Time is linear in its length."""
    folded = narrow(text)
    return tuple(_qualified(folded, figure) for figure in _figures(folded))


def _figures(folded: str) -> Iterator[Figure]:
    at = 0
    while found := _ANY.search(folded, at):
        at = found.end()
        for figure in _READERS[(found.lastgroup or "").removeprefix("rule_")](folded, found):
            at = max(at, figure.span.end)
            yield figure


def _qualified(folded: str, figure: Figure) -> Figure:
    start, end = figure.span.start, figure.span.end
    found = _BEFORE.search(folded[max(0, start - 16) : start]) or _AFTER.match(folded, end)
    return replace(figure, qualifier=found.lastgroup or "") if found else figure


def _place(found: "re.Match[str]") -> Span:
    return Span(found.start(), found.end())


def _nothing(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    return iter(())


def _code(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    yield Figure(_place(found), found.group().replace("：", ":"), "", Kind.CODE)


def _document_number(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    yield Figure(_place(found), f"{found['doc_year']}/{int(found['doc_no'])}", "", Kind.CODE)


def _date(year: str, month: str, day: str) -> Callable[[str, "re.Match[str]"], Iterator[Figure]]:
    """A reader of the date in the named groups; "" where the rule has no such part."""

    def read(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
        parts = (_date_part(found[name]) if name and found[name] else None for name in (year, month, day))
        yield Figure(_place(found), DateParts(*parts), "", Kind.DATE)

    return read


def _date_part(text: str) -> int:
    if text.isdigit() and text.isascii():
        return int(text)
    if text[0].isalpha() and text.isascii():
        return [month[:3] for month in _EN_MONTHS.split()].index(text[:3]) + 1
    return int(zh_number(text) or 0)


def _half_year(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    first = found["half"] == "上" or found["en_half"] == "first"
    yield Figure(_place(found), "H1" if first else "H2", "", Kind.PERIOD)


def _quarter(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    word = found["q"] or found["q_latin"] or found["q_en"]
    yield Figure(_place(found), f"Q{_QUARTERS.get(word) or word}", "", Kind.PERIOD)


def _quarters(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    two = found["qs"] in ("二", "两", "2") or found["en_qs"] == "two"
    yield Figure(_place(found), "Q1-Q2" if two else "Q1-Q3", "", Kind.PERIOD)


def _plan(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    number = found["plan_no"] or found["plan_en"]
    if number is None:
        number = "十" + (found["plan"] or found["plan2"] or "")
    yield Figure(_place(found), _plain_number(number) or Decimal(0), "五年规划", Kind.ORDINAL)


def _plain_number(text: str) -> Decimal | None:
    """Digits, with or without separators, or Chinese numerals."""
    bare = re.sub(r"[,\u00a0\u2009\u202f]", "", text)
    return Decimal(bare) if bare[:1].isdigit() and bare.isascii() else zh_number(bare)


def _zh_percent(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    for name in ("pc", "pc_to"):
        value = _plain_number(found[name].rstrip("点")) if found[name] else None
        if value is not None:
            start = found.start() if name == "pc" else found.start(name)
            yield Figure(Span(start, found.end(name)), value, "", Kind.PERCENT)


def _half_share(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    qualifier = "above" if found.group() == "过半" else ""
    yield Figure(_place(found), Decimal(50), "", Kind.PERCENT, qualifier)


def _tenths(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    value = _plain_number(found["tenths"]) or Decimal(0)
    rest = _plain_number(found["half_tenth"]) if found["half_tenth"] else None
    yield Figure(_place(found), value * 10 + (rest or 0), "", Kind.PERCENT)


def _fraction(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    below, above = _plain_number(found["below_zh"].strip("点")), _plain_number(found["above_zh"].strip("点"))
    if below and above is not None:
        yield Figure(_place(found), above / below, "", Kind.NUMBER)


def _ordinal(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    value = _plain_number(found["nth"] or found["en_nth"] or found["no"])
    if value is not None:
        yield Figure(_place(found), value, "", Kind.ORDINAL, weak=found["nth"] == "一")


def _amount(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    digits, end = found["num"], found.end()
    if len(digits) > _MAX_DIGITS:
        yield Figure(_place(found), digits, "", Kind.CODE)
        return
    value = _plain_number(digits) or Decimal(0)
    figure, _ = _with_tail(folded, Figure(_place(found), -value if found["sign"] else value, "", Kind.NUMBER))
    if found["cur"] and not figure.unit:
        figure = replace(figure, unit=_CURRENCY[found["cur"].strip()])
    if figure.span.end == end and (to := _RANGE.match(folded, end)) and len(to["num"]) <= _MAX_DIGITS:
        yield from _range(folded, figure, Span(*to.span("num")))
    else:
        yield _year_or_code(folded, figure)


def _range(folded: str, first: Figure, place: Span) -> Iterator[Figure]:
    """5-6%, 3至5亿元: the first end takes what only the second one says."""
    value = _plain_number(place.of(folded)) or Decimal(0)
    second, factor = _with_tail(folded, Figure(place, value, first.unit, Kind.NUMBER))
    if second.kind is not Kind.NUMBER or second.unit:
        scaled = first.value * factor if isinstance(first.value, Decimal) and first.value < value else first.value
        first = replace(first, value=scaled, kind=second.kind, unit=second.unit)
    yield _year_or_code(folded, first)
    yield _year_or_code(folded, second)


def _with_tail(folded: str, figure: Figure) -> tuple[Figure, Decimal]:
    """The figure with the multiplier, percent sign or unit that follows it, and the factor they make."""
    at, value = figure.span.end, figure.value
    times = _TIMES.match(folded, at)
    factor = Decimal(1)
    qualifier = figure.qualifier
    if times and times.group():
        factor = Decimal(_LARGE[times["times"].strip(" \u00a0-")]) if times["times"] else factor
        qualifier = "above" if times["more"] or times["more2"] else qualifier
        at = times.end()
    kind, unit, unit_factor, end = _unit(folded, at)
    if not isinstance(value, Decimal):
        return figure, factor
    factor *= unit_factor
    place = Span(figure.span.start, end)
    return replace(
        figure, span=place, value=value * factor, kind=kind, unit=unit or figure.unit, qualifier=qualifier
    ), factor


def _unit(folded: str, at: int) -> tuple[Kind, str, Decimal, int]:
    if points := _POINTS.match(folded, at):
        return Kind.PERCENTAGE_POINT, "", Decimal(1), points.end()
    if percent := _PERCENT.match(folded, at):
        return Kind.PERCENT, "", Decimal(1), percent.end()
    if permille := _PERMILLE.match(folded, at):
        return Kind.PERCENT, "", Decimal("0.1"), permille.end()
    name, factor, end = unit_at(folded, at) or ("", Decimal(1), at)
    return Kind.NUMBER, name, factor, end


def _year_or_code(folded: str, figure: Figure) -> Figure:
    """A bare 2024 is a year; a bare number with letters behind it (5G, 1990s) is a name."""
    written = figure.span.of(folded)
    if figure.kind is not Kind.NUMBER or figure.unit or not written[-1:].isdigit():
        return figure
    if tail := _LATIN_TAIL.match(folded, figure.span.end):
        return Figure(Span(figure.span.start, tail.end()), written + tail.group(), "", Kind.CODE)
    if len(written) == 4 and written.isdigit() and "1900" <= written < "2100":
        return Figure(figure.span, DateParts(year=int(written)), "", Kind.DATE)
    return figure


def _zh(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    run = found["zh"].strip("点")
    start = found.start() + found["zh"].index(run)
    value = zh_number(run) if run else None
    if value is None:
        return
    figure, _ = _with_tail(folded, Figure(Span(start, start + len(run)), value, "", Kind.NUMBER))
    bare_multiplier = run[0] in "百千万亿"
    one_word = len(run) == 1 and (run == "一" or is_weak_after_word(figure.unit))
    weak = figure.kind is Kind.NUMBER and (bare_multiplier or one_word)
    yield replace(figure, weak=weak)


def _words(folded: str, found: "re.Match[str]") -> Iterator[Figure]:
    value = en_number(found["words"])
    if value is not None:
        figure, _ = _with_tail(folded, Figure(_place(found), value, "", Kind.NUMBER))
        small = value <= 10 and is_weak_after_word(figure.unit)
        yield replace(figure, weak=figure.kind is Kind.NUMBER and (small or value == 1))


_READERS: dict[str, Callable[[str, "re.Match[str]"], Iterator[Figure]]] = {
    "list": _nothing,
    "doc": _document_number,
    "iso": _date("iso_y", "iso_m", "iso_d"),
    "iso_month": _date("isom_y", "isom_m", ""),
    "version": _code,
    "clock": _code,
    "label": _code,
    "ymd": _date("y", "y_m", "y_d"),
    "md": _date("", "m", "m_d"),
    "year_to": _date("to_y", "", ""),
    "month_to": _date("", "to_m", ""),
    "day_to": _date("", "", "to_d"),
    "day": _date("", "", "d"),
    "en_mdy": _date("mdy_y", "mdy_m", "mdy_d"),
    "en_dmy": _date("dmy_y", "dmy_m", "dmy_d"),
    "en_my": _date("my_y", "my_m", ""),
    "half": _half_year,
    "quarters": _quarters,
    "quarter": _quarter,
    "plan": _plan,
    "zh_percent": _zh_percent,
    "half_share": _half_share,
    "fraction": _fraction,
    "tenths": _tenths,
    "ordinal": _ordinal,
    "amount": _amount,
    "words": _words,
    "zh": _zh,
}
