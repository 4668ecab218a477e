from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.errors import QuestionError
from chatbot.generate import Cancelled, Message
from chatbot.generators.scripted import ScriptedGenerator
from chatbot.history import standalone
from chatbot.pipeline import Chatbot
from chatbot.types import Answer, AnswerReady, EvidenceFound, TokenText, Turn
from corpus.ingest import ingest
from corpus.library import Library
from corpus.settings import ChatbotSettings
from index.embed import HashEmbedder
from index.live import LiveSearcher, catch_up

QUESTION = "丘陵县的集中供水率要达到多少？"
MakeChatbot = Callable[..., Chatbot]


@pytest.fixture
def make_chatbot(library: Library, reports: Path) -> MakeChatbot:
    """Makes a chatbot over the three reports that says `reply` and thinks `yes` of the evidence."""
    list(ingest(library, [reports], "default"))
    catch_up(library, HashEmbedder(), lambda progress: None)
    searcher = LiveSearcher(library, HashEmbedder())

    def make(reply: str | Callable[[Sequence[Message]], str], yes: float = 0.9) -> Chatbot:
        weight = {"有": yes, "没有": 1 - yes, "Yes": yes, "No": 1 - yes}
        speak = reply if callable(reply) else lambda _messages: reply
        generator = ScriptedGenerator(speak, lambda _messages, word: weight[word])
        return Chatbot(searcher, generator, ChatbotSettings())

    return make


def citing_line(messages: Sequence[Message]) -> str:
    """Repeats the evidence line that names the share, with its marker behind."""
    line = next(line for line in messages[-1].text.splitlines() if "百分之九十八" in line)
    marker, _, sentence = line.partition("] ")
    return f"{sentence}{marker}]"


def test_events_come_as_evidence_then_tokens_then_the_answer(make_chatbot: MakeChatbot) -> None:
    kinds = [type(event) for event in make_chatbot("好[1]。").stream(QUESTION)]
    assert kinds == [EvidenceFound, *[TokenText] * len("好[1]。"), AnswerReady]


def test_a_citation_quotes_its_document_exactly(make_chatbot: MakeChatbot) -> None:
    chatbot = make_chatbot(citing_line)
    citation = chatbot.answer(QUESTION).citations[0]
    assert citation.span.of(chatbot.document(citation.doc_id).text) == citation.quote
    assert "百分之九十八" in citation.quote
    assert citation.support == "supported"


def test_a_wrong_figure_is_not_supported(make_chatbot: MakeChatbot) -> None:
    chatbot = make_chatbot(lambda messages: citing_line(messages).replace("九十八", "八十九"))
    assert [citation.support for citation in chatbot.answer(QUESTION).citations] == ["unsupported"]


def test_below_the_bound_it_refuses_and_shows_what_is_near(make_chatbot: MakeChatbot) -> None:
    events = list(make_chatbot("不会说出的话。", yes=0.01).stream(QUESTION))
    assert [type(event) for event in events] == [EvidenceFound, AnswerReady]
    assert isinstance(events[-1], AnswerReady)
    answer = events[-1].answer
    assert answer.abstained
    assert answer.reason
    assert answer.evidence
    assert "不会说出的话" not in answer.text


def test_an_english_question_is_refused_in_english(make_chatbot: MakeChatbot) -> None:
    assert make_chatbot("x", yes=0.01).answer("How many trams were bought?").text.isascii()


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("浙江的集中供水率要达到多少？", "浙江"),
        ("What is the target of Zhejiang?", "Zhejiang"),
        ("2017年增长多少？", "2017"),
    ],
)
def test_a_place_or_year_that_no_evidence_names_is_refused_by_name(
    make_chatbot: MakeChatbot, question: str, named: str
) -> None:
    answer = make_chatbot("丘陵县的数字[1]。").answer(question)
    assert answer.abstained
    assert named in (answer.reason or "")
    assert answer.timings.prompt_tokens == 0


def test_a_report_stands_for_the_year_before_its_own(make_chatbot: MakeChatbot) -> None:
    assert not make_chatbot("好。").answer("海港市2030年新建学校多少所？").abstained


def test_the_question_comes_after_the_evidence_in_the_prompt(make_chatbot: MakeChatbot) -> None:
    seen: list[str] = []

    def listen(messages: Sequence[Message]) -> str:
        seen.append(messages[-1].text)
        return "好。"

    make_chatbot(listen).answer(QUESTION)
    assert seen[0].index("[1]") < seen[0].index(QUESTION)


def test_a_cancelled_stream_ends_without_an_answer(make_chatbot: MakeChatbot) -> None:
    cancelled = Cancelled()
    events = []
    for event in make_chatbot("一句很长的话。").stream(QUESTION, cancelled=cancelled):
        events.append(event)
        if isinstance(event, TokenText):
            cancelled.set()
    assert not any(isinstance(event, AnswerReady) for event in events)
    assert sum(isinstance(event, TokenText) for event in events) == 1


@pytest.mark.parametrize("question", ["", " \n\t", "长" * 1001])
def test_a_question_that_cannot_be_asked_is_refused_before_any_work(make_chatbot: MakeChatbot, question: str) -> None:
    with pytest.raises(QuestionError):
        next(make_chatbot("x").stream(question))


def test_the_longest_question_is_answered(make_chatbot: MakeChatbot) -> None:
    assert make_chatbot("好。").answer("长" * 1000).text == "好。"


def test_timings_grow_from_evidence_to_the_whole(make_chatbot: MakeChatbot) -> None:
    timings = make_chatbot("好。").answer(QUESTION).timings
    assert timings.first_token_s is not None
    assert 0 < timings.evidence_s <= timings.first_token_s <= timings.total_s
    assert timings.completion_tokens == 2


drafts = st.lists(
    st.sampled_from(
        [
            "[1]",
            "[2]",
            "[99]",
            "【1】",
            "[1,2]",
            "百分之九十八",
            "𠮷",
            "e\u0301",
            "。",
            "\n",
            "１２３４.5亿元",
            "[",
            "]",
        ]
    )
    | st.text(max_size=5),
    max_size=15,
).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(drafts)
def test_whatever_the_model_says_every_citation_is_exact(make_chatbot: MakeChatbot, draft: str) -> None:
    chatbot = make_chatbot(draft)
    answer: Answer = chatbot.answer("海港市2030年地区生产总值是多少？")
    for citation in answer.citations:
        assert citation.span.of(chatbot.document(citation.doc_id).text) == citation.quote
        assert citation.marker in {item.number for item in answer.evidence}


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("那海港市呢？", "丘陵县的集中供水率要达到多少？那海港市呢？"),
        ("what about Harbour City?", "丘陵县的集中供水率要达到多少？what about Harbour City?"),
        ("海港市新建了多少所学校？", "海港市新建了多少所学校？"),
    ],
)
def test_only_a_follow_up_inherits_the_question_before(question: str, whole: str) -> None:
    assert standalone(question, [Turn(QUESTION, "98%")]) == whole


def test_without_history_a_question_stands_alone() -> None:
    assert standalone("那海港市呢？", []) == "那海港市呢？"
