"""Is the answer in the evidence? One probability, read at the generator's own next word. Knows no thresholds.

A small model asked to refuse refuses plain facts too; so reading and refusing are kept apart, and refusal is
computed from how likely the model is to say that the evidence holds the answer.
"""

from collections.abc import Sequence

from chatbot.generate import Cancelled, Generator
from chatbot.prompt import GATE_WORDS, Lang, gate_messages
from chatbot.types import Evidence


def answer_probability(
    generator: Generator, question: str, evidence: Sequence[Evidence], lang: Lang, cancelled: Cancelled | None = None
) -> float:
    """Return, in [0, 1], how likely the evidence holds the answer; 0.0 without evidence. Not calibrated."""
    if not evidence:
        return 0.0
    yes, no = generator.next_word_probabilities(gate_messages(question, evidence, lang), GATE_WORDS[lang], cancelled)
    return yes / (yes + no) if yes + no > 0 else 0.5
