"""Is the answer in the evidence? What the question names must be there, and the model must think so. No thresholds.

A small model asked to refuse refuses plain facts too, and asked for one place it gives another's figure. So reading
and refusing are kept apart: a rule looks for the places and years that the question names, and a probability is read
at the model's own next word.
"""

import re
from collections.abc import Sequence

from chatbot.generate import Cancelled, Generator
from chatbot.prompt import GATE_WORDS, Lang, gate_messages
from chatbot.types import Evidence
from corpus.regions import regions_in

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")


def missing_names(question: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the provinces and years of the question that no evidence names, in its text, title or headings.

    A report tells the results of the year before its own, so its title stands for that year too. Sorted; provinces by
    their Chinese names; () if nothing is missing.
    """
    around = "\n".join(line for item in evidence for line in (item.title, *item.headings, item.quote))
    titles = " ".join(item.title for item in evidence)
    years = {*_YEAR.findall(around), *(str(int(year) - 1) for year in _YEAR.findall(titles))}
    missing = (regions_in(question) - regions_in(around)) | (set(_YEAR.findall(question)) - years)
    return tuple(sorted(missing))


def answer_probability(
    generator: Generator, question: str, evidence: Sequence[Evidence], lang: Lang, cancelled: Cancelled | None = None
) -> float:
    """Return, in [0, 1], how likely the evidence holds the answer; 0.0 without evidence. Not calibrated."""
    if not evidence:
        return 0.0
    yes, no = generator.next_word_probabilities(gate_messages(question, evidence, lang), GATE_WORDS[lang], cancelled)
    return yes / (yes + no) if yes + no > 0 else 0.5
