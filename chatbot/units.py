"""Units after figures: which names mean the same, and by what exact factor. A small table, on purpose.

Only exact and usual equivalents are here: 公里 = 千米 = km = 1000 米, 公顷 = 10000 平方米, 兆瓦 = 1000 千瓦. 亩
stays apart from 公顷 because 15 亩 = 1 公顷 cuts the decimals. Counting words of one kind are one unit (名, 人 and
位; 场 and 次).
"""

import re
from decimal import Decimal

ANY = "个"  # counts anything

_MEASURES = (  # the canonical name, then its names with their factors
    ("米", "米 m metres meters", 1),
    ("米", "公里 千米 km kilometres kilometers", 1000),
    ("米", "厘米 cm", "0.01"),
    ("米", "毫米 mm", "0.001"),
    ("平方米", "平方米 平米 ㎡ m² square_metres square_meters", 1),
    ("平方米", "公顷 hectares", 10**4),
    ("平方米", "平方公里 平方千米 km² square_kilometres square_kilometers", 10**6),
    ("立方米", "立方米 m³ cubic_metres cubic_meters", 1),
    ("公斤", "公斤 千克 kg kilograms", 1),
    ("公斤", "克", "0.001"),
    ("公斤", "斤", "0.5"),
    ("公斤", "吨 tonnes metric_tons tons", 1000),
    ("千瓦", "千瓦 kw", 1),
    ("千瓦", "瓦", "0.001"),
    ("千瓦", "兆瓦 mw", 1000),
    ("千瓦", "吉瓦 gw", 10**6),
    ("千瓦时", "千瓦时 kwh 度电", 1),
    ("千瓦时", "兆瓦时 mwh", 1000),
    ("千瓦时", "gwh", 10**6),
    ("千瓦时", "twh", 10**9),
    ("千伏", "千伏 kv", 1),
    ("千伏", "伏", "0.001"),
)
_SAME = (  # the first name of a line is the canonical one
    "元 人民币元 元人民币 人民币 块钱 yuan rmb cny renminbi",
    "美元 usd us_dollars dollars",
    "欧元 eur euros",
    "港元 港币 hkd",
    "日元 jpy yen",
    "英镑 gbp pounds",
    "新加坡元 新元",
    "英里 miles",
    "桶 barrels",
    "升 litres liters",
    "摄氏度 ℃ °c",
    "年 years",
    "个月 months",
    "天 days",
    "工作日 个工作日 working_days",
    "小时 个小时 hours",
    "分钟 minutes",
    "秒 seconds",
    "周 个星期 星期 weeks",
    "岁 周岁 years_old year-old",
    "倍 times",
    "基点 个基点 bp basis_points",
    "人 名 位 口 people persons person",
    "人次 visits",
    "户 households",
    "座 处",
    "台 台套",
    "件 起 例 宗",
    "种 类",
    "只 头 匹 羽",
    "棵 株",
    "栋 幢",
    "册 本",
    "场 次 回 趟",
    "标箱 teu",
)
_ALONE = (  # one name each
    "韩元 卢布 卢比 澳元 瑞郎 亩 海里 度 时 分 番 折 个 家 所 项 支 条 艘 架 "
    "辆 架次 班次 台次 辆次 套 间 张 份 篇 部 枚 片 块 批 批次 笔 单 道 级 层 "
    "点 股 列 门 届 期 轮 款 号 盏 根 组 强 毫升 世纪 分贝 "
)
_COUNTS = frozenset("个家所座项支台件条种艘架辆只棵套栋间张份篇部册枚片块批场笔单道门届期轮款盏根组户人级")
_WEAK_AFTER_WORDS = frozenset("个项点分种条件级层道单期部门号度时场轮组片块股张份座批强周番套支台根篇")


def _names() -> dict[str, tuple[str, Decimal]]:
    """Every name with its canonical one and the factor to it."""
    lines = [(line.split()[0], line, Decimal(1)) for line in (*_SAME, *_ALONE.split())]
    lines += [(canonical, line, Decimal(factor)) for canonical, line, factor in _MEASURES]
    return {name.replace("_", " "): (canonical, factor) for canonical, line, factor in lines for name in line.split()}


_NAMES = _names()
_LATIN = sorted((re.sub("s$", "s?", re.escape(name)) for name in _NAMES if name.isascii()), key=len, reverse=True)
_OTHER = sorted((re.escape(name) for name in _NAMES if not name.isascii()), key=len, reverse=True)
_UNIT = re.compile(rf"\s?(?:(?P<other>{'|'.join(_OTHER)})|-?(?P<latin>{'|'.join(_LATIN)})(?![a-z0-9]))")


def unit_at(folded: str, at: int) -> tuple[str, Decimal, int] | None:
    """The unit that begins at `at`: its canonical name, the factor to it and where it ends; None if none is known.

    `folded` has half-width characters and lower-case letters.
    """
    found = _UNIT.match(folded, at)
    if found is None:
        return None
    name = found["other"] or found["latin"]
    canonical, factor = _NAMES.get(name) or _NAMES[name + "s"]
    return canonical, factor, found.end()


def same_unit(claimed: str, found: str) -> bool:
    """True if a figure of unit `found` in a source may carry a claim in unit `claimed`; "" is no known unit.

    个 counts anything that is counted. A claim without a unit leaves it open; a claim in 元 or 吨 needs it said.
    """
    if claimed == found or not claimed:
        return True
    if ANY in (claimed, found) or not found:
        return claimed in _COUNTS and (found in _COUNTS or not found)
    return False


def is_weak_after_word(unit: str) -> bool:
    """True if a spelled one-digit number before `unit` is often no figure of the source: 两个方面, 三项工作."""
    return not unit or unit in _WEAK_AFTER_WORDS
