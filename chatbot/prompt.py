"""Every prompt, Chinese and English. Knows no engine and no search.

The system message never changes, so that engines keep it computed; evidence comes before the question, so that
the answerability prompt and the answer prompt share all but their last lines.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from chatbot.generate import Message
from chatbot.types import Evidence
from corpus.metadata import language
from corpus.regions import region_label

Lang = Literal["zh", "en"]

_SYSTEM = {
    "zh": (
        "你是政策报告问答助手。只依据用户给出的编号资料回答问题，用一两句完整的话直接作答，"
        "数字、单位、日期和名称照抄资料，不要推测，不要补充资料以外的内容。"
        "每句话末尾用方括号标出所依据的资料编号，例如[1]。"
    ),
    "en": (
        "You answer questions about policy reports. Use only the numbered sources given by the user. Answer directly "
        "in one or two full sentences; copy figures, units, dates and names exactly; do not guess or add anything. "
        "End each sentence with the number of its source in square brackets, such as [1]."
    ),
}
_SOURCES = {"zh": "资料：", "en": "Sources:"}
_QUESTION = {"zh": "问题：", "en": "Question: "}
_TITLE = {"zh": "《{}》", "en": "From “{}”:"}
_READ = {"zh": "请回答。", "en": "Answer in English."}
_GATE = {
    "zh": "上述资料中有没有这个问题的确切答案？只回答“有”或“没有”。",
    "en": "Do the sources above contain the exact answer to this question? Reply only Yes or No.",
}
GATE_WORDS: dict[Lang, tuple[str, str]] = {"zh": ("有", "没有"), "en": ("Yes", "No")}


_REFUSAL = {
    "zh": "资料库中没有找到这个问题的确切答案。",
    "en": "The library does not seem to hold the exact answer to this question.",
}
_MISSING = {
    "zh": "最接近的原文没有提到{}。",
    "en": "The nearest passages do not mention {}.",
}
_DOUBTED = {
    "zh": "模型读了最接近的原文，判断其中没有确切答案。",
    "en": "The model has read the nearest passages and does not think that they hold it.",
}


def prompt_lang(question: str) -> Lang:
    """Return the language to answer in: that of the question."""
    return "zh" if language(question) == "zh" else "en"


def refusal(lang: Lang) -> str:
    """Return what every refusal says."""
    return _REFUSAL[lang]


def refusal_reason(lang: Lang, missing: Sequence[str]) -> str:
    """Return why: the places and years that no evidence names, or the model's doubt if there are none."""
    names = ("、" if lang == "zh" else ", ").join(region_label(name, lang) for name in missing)
    return _MISSING[lang].format(names) if missing else _DOUBTED[lang]


def answer_messages(question: str, evidence: Sequence[Evidence], lang: Lang) -> tuple[Message, ...]:
    """Return the prompt that asks for a cited answer."""
    return _messages(question, evidence, lang, _READ[lang])


def gate_messages(question: str, evidence: Sequence[Evidence], lang: Lang) -> tuple[Message, ...]:
    """Return the prompt whose first word, one of GATE_WORDS, tells whether the evidence holds the answer."""
    return _messages(question, evidence, lang, _GATE[lang])


def _messages(question: str, evidence: Sequence[Evidence], lang: Lang, last: str) -> tuple[Message, ...]:
    lines = [_SOURCES[lang], *_evidence_lines(evidence, lang), f"{_QUESTION[lang]}{question}", last]
    return Message("system", _SYSTEM[lang]), Message("user", "\n".join(lines))


def _evidence_lines(evidence: Sequence[Evidence], lang: Lang) -> list[str]:
    lines: list[str] = []
    for title, group in groupby(evidence, key=lambda item: item.title):
        lines.append(_TITLE[lang].format(title))
        lines.extend(f"[{item.number}] {item.quote}" for item in group)
    return lines
