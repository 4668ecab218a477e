"""The provinces of China by their short names, Chinese and English, as texts and questions write them."""

_NAMES = {
    "北京": "Beijing", "天津": "Tianjin", "河北": "Hebei", "山西": "Shanxi", "内蒙古": "Inner Mongolia",
    "辽宁": "Liaoning", "吉林": "Jilin", "黑龙江": "Heilongjiang", "上海": "Shanghai", "江苏": "Jiangsu",
    "浙江": "Zhejiang", "安徽": "Anhui", "福建": "Fujian", "江西": "Jiangxi", "山东": "Shandong", "河南": "Henan",
    "湖北": "Hubei", "湖南": "Hunan", "广东": "Guangdong", "广西": "Guangxi", "海南": "Hainan",
    "重庆": "Chongqing", "四川": "Sichuan", "贵州": "Guizhou", "云南": "Yunnan", "西藏": "Tibet",
    "陕西": "Shaanxi", "甘肃": "Gansu", "青海": "Qinghai", "宁夏": "Ningxia", "新疆": "Xinjiang",
    "香港": "Hong Kong", "澳门": "Macao", "台湾": "Taiwan",
}  # fmt: skip


def regions_in(text: str) -> frozenset[str]:
    """Return the Chinese short names of the provinces that `text` names in either language.

    A name inside a longer word counts too (珠江西岸 holds 江西), so compare two texts read by this function only.
    """
    lower = text.lower()
    return frozenset(name for name, english in _NAMES.items() if name in text or english.lower() in lower)


def region_label(name: str, lang: str) -> str:
    """Return a short name as `lang` writes it; what is no province stays as it is."""
    return _NAMES.get(name, name) if lang == "en" else name
