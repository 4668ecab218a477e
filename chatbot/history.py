"""What a follow-up question inherits from the one before. Rules, pure."""

import re
from collections.abc import Sequence

from chatbot.types import Turn

_FOLLOW_UP = re.compile(
    r"^(那|它|其|该|此|这|上述|还有|另外|and\b|what about\b|how about\b|then\b)|呢[？?]?$"
    r"|\b(it|its|they|their|that|those)\b",
    re.IGNORECASE,
)


def standalone(question: str, history: Sequence[Turn]) -> str:
    """Return the question to search and to read: a follow-up gets the question before it in front.

    >>> standalone("那去年呢？", [Turn("2025年广东经济增长目标是多少？", "")])
    '2025年广东经济增长目标是多少？那去年呢？'
    """
    if not history or not _FOLLOW_UP.search(question.strip()):
        return question
    before = history[-1].question.strip()
    return f"{before} {question}" if before.isascii() else f"{before}{question}"
