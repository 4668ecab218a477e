"""Numbers in words, Chinese and English, to exact decimals. Pure; knows no units."""

from decimal import Decimal

ZH_CHARS = "零〇○一二两三四五六七八九十百千万亿点"
_ZH_DIGITS = {char: value for value, chars in enumerate(("零〇○", "一", "二两", *"三四五六七八九")) for char in chars}
_ZH_TENS = {"十": 10, "百": 100, "千": 1000}
_ZH_LARGE = {"万": 10**4, "亿": 10**8}

_EN_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
EN_WORDS = {word: value for value, word in enumerate(_EN_SMALL.split())} | {
    word: value for value, word in zip(range(20, 100, 10), _EN_TENS.split(), strict=True)
}
EN_LARGE = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def zh_number(run: str) -> Decimal | None:
    """The value of a run of Chinese numerals, or None if it is not a well-formed number.

    三千二百 -> 3200, 十二点八 -> 12.8, 三万亿 -> 3e12, 二〇二四 -> 2024, 两万五 -> 25000 (a last digit right behind a
    multiplier counts tenths of it), 千万 -> 10000000. 三四 and 五六十 are estimates, not numbers: None.
    """
    whole, dot, fraction = run.partition("点")
    if dot:
        return _zh_decimal(whole, fraction)
    if run and all(char in _ZH_DIGITS for char in run):
        return Decimal("".join(str(_ZH_DIGITS[char]) for char in run)) if len(run) in (1, 4) else None
    value = _zh_multiplied(run) if run else None
    return None if value is None else Decimal(value)


def _zh_decimal(whole: str, fraction: str) -> Decimal | None:
    digits = fraction.rstrip("万亿")
    value = zh_number(whole)
    if value is None or not digits or any(char not in _ZH_DIGITS for char in digits):
        return None
    value += Decimal("0." + "".join(str(_ZH_DIGITS[char]) for char in digits))
    for char in fraction[len(digits) :]:
        value *= _ZH_LARGE[char]
    return value


def _zh_multiplied(run: str) -> int | None:
    total = section = 0
    digit: int | None = None
    last = 0  # the multiplier just read; 0 after 零 or at the start
    smallest = 10**9  # the smallest multiplier of this section so far
    for char in run:
        if char in "零〇○":
            last = 0
        elif char in _ZH_DIGITS:
            if digit is not None:
                return None
            digit = _ZH_DIGITS[char]
        elif char in _ZH_TENS:
            last = _ZH_TENS[char]
            if last >= smallest:
                return None
            section += (1 if digit is None else digit) * last
            smallest, digit = last, None
        else:
            last = _ZH_LARGE[char]
            section += digit or 0
            if char == "亿":
                total = (total + section or 1) * last
            else:
                total += (section or 1) * last
            section, digit, smallest = 0, None, 10**9
    tail = 0 if digit is None else digit * last // 10 if last > 10 else digit
    return total + section + tail


def en_number(words: str) -> Decimal | None:
    """The value of English number words: "twenty-five", "three hundred and twelve", "two million"; else None."""
    total = section = 0
    for word in words.replace("-", " ").replace(" and ", " ").split():
        if word in EN_WORDS:
            section += EN_WORDS[word]
        elif word == "hundred":
            section = (section or 1) * 100
        elif word in EN_LARGE:
            total += (section or 1) * EN_LARGE[word]
            section = 0
        else:
            return None
    return Decimal(total + section)
