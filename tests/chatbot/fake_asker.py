"""A stand-in for the pipeline: invented documents, scripted replies, and a hold that keeps an answer half-written."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from chatbot.errors import QuestionError
from chatbot.generate import Cancelled
from chatbot.types import (
    Answer,
    AnswerReady,
    Citation,
    Event,
    Evidence,
    EvidenceFound,
    Support,
    Timings,
    TokenText,
    Turn,
)
from corpus.errors import LibraryError
from corpus.types import Chunk, Document, Metadata, Page, Section, Span
from index.types import Hit

NO_METADATA = Metadata()
NEEDLE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>${window.hacked=1}{{hacked}}\'"&amp;'


def document(
    title: str, text: str, lang: str, source: str, pages: tuple[Page, ...] = (), meta: Metadata = NO_METADATA
) -> Document:
    """A document whose lines beginning with # are headings, by their number of #."""
    starts = list(re.finditer(r"^(#+) .*$", text, re.M))
    sections = []
    for at, match in enumerate(starts):
        level = len(match[1])
        later = (other.start() for other in starts[at + 1 :] if len(other[1]) <= level)
        sections.append(Section(match[0][level + 1 :], level, Span(match.start(), next(later, len(text)))))
    return Document(title, text, lang, source, "0" * 64, meta, pages, tuple(sections))


ZH_TEXT = """# 青岚市2031年政府工作报告

青岚市人民政府在市第九届人民代表大会第三次会议上作如下报告。

## 一、过去一年工作回顾

2030年，全市地区生产总值达到1286.4亿元，比上年增长5.7%，高于全省平均水平0.4个百分点。
粮食总产量稳定在214.6万吨，连续八年丰收；城镇新增就业3.2万人，居民人均可支配收入增长6.1%。
𠮷野河综合治理工程提前半年完工，沿线12个乡镇受益。

### （一）产业升级

规模以上工业企业研发投入占营业收入的比重提高到2.8%，新认定高新技术企业137家。
数字经济核心产业增加值占地区生产总值的比重达到11.3%。

### （二）民生保障

新建公办幼儿园26所，新增学位7800个；改造老旧小区184个，惠及居民5.1万户。
基本医疗保险参保率保持在97%以上。

## 二、今年发展目标

地区生产总值增长5.5%左右，城镇新增就业3万人以上，居民消费价格涨幅控制在2%左右。
单位地区生产总值能耗下降3%，森林覆盖率达到46.5%。
"""
EN_TEXT = """# Report on the Work of the Northmere Regional Council, 2031

The Council presents its report for the year and its plan for the next.

## 1. The past year

Regional output grew by 3.4 percent to 48.2 billion crowns, and unemployment fell to 4.1 percent.
The Council opened 14 new clinics and trained 620 nurses.

## 2. Goals for the coming year

Output is expected to grow by about 3 percent. At least 9,000 homes will be insulated before winter.
The harbour railway, 86 kilometres long, will open to goods traffic in September.
"""


def long_text(pages: int) -> tuple[str, tuple[Page, ...]]:
    """A text of about 1,000 characters a page, and its pages."""
    parts, spans, start = [], [], 0
    for number in range(1, pages + 1):
        part = f"第{number}页的措施：" + "加强统筹协调，压实工作责任，确保各项任务落地见效。\n" * 38
        parts.append(part)
        spans.append(Page(number, Span(start, start + len(part))))
        start += len(part)
    return "".join(parts), tuple(spans)


def documents() -> dict[str, Document]:
    """The invented documents by a short name."""
    text, pages = long_text(200)
    half = ZH_TEXT.index("## 二")
    return {
        "zh": document(
            "青岚市2031年政府工作报告", ZH_TEXT, "zh", "reports/qinglan-2031.pdf",
            (Page(1, Span(0, half)), Page(2, Span(half, len(ZH_TEXT)))),
            Metadata("青岚市人民政府", "青政发〔2031〕1号", "2031-01-15", 2031),
        ),
        "en": document("Northmere Regional Council: Report 2031", EN_TEXT, "en", "reports/northmere-2031.docx"),
        "long": document("青岚市中长期规划纲要", text, "zh", "reports/plan-200.pdf", pages),
        "evil": document(f"标题{NEEDLE}", f"# 第一章{NEEDLE}\n正文{NEEDLE}有一句。\n", "zh", f"{NEEDLE}.html"),
    }  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """What to answer: the text, and for each marker a document's name, a quote in it, support and reasons."""

    text: str
    cited: tuple[tuple[int, str, str, Support, tuple[str, ...]], ...] = ()
    dangling: tuple[int, ...] = ()
    abstained: bool = False
    reason: str | None = None


GOOD, PART, BAD = Support.SUPPORTED, Support.PARTIAL, Support.UNSUPPORTED
REPLIES = {
    "增长": Reply(
        "2030年，青岚市地区生产总值达到1286.4亿元，比上年增长5.7%[1]。城镇新增就业3.5万人，粮食总产量214.6万吨[2]。"
        "全市改造老旧小区260个[3]，并将在三年内实现全域免费公交[9]。以上目标依据青政发[2031]1号文件。",
        (
            (1, "zh", "2030年，全市地区生产总值达到1286.4亿元，比上年增长5.7%，高于全省平均水平0.4个百分点。",
             GOOD, ()),
            (2, "zh", "粮食总产量稳定在214.6万吨，连续八年丰收；城镇新增就业3.2万人，居民人均可支配收入增长6.1%。",
             PART, ("“3.5万人”不在所引原文中",)),
            (3, "zh", "新建公办幼儿园26所，新增学位7800个；改造老旧小区184个，惠及居民5.1万户。",
             BAD, ("“260个”不在所引原文中",)),
        ),
        dangling=(9,),
    ),
    "goals": Reply(
        "Output is expected to grow by about 3 percent [1]. "
        "The harbour railway opens to goods traffic in September [2].",
        (
            (1, "en", "Output is expected to grow by about 3 percent.", GOOD, ()),
            (2, "en", "The harbour railway, 86 kilometres long, will open to goods traffic in September.", GOOD, ()),
        ),
    ),
    "地铁": Reply("现有文件没有提到地铁票价。", (), abstained=True, reason="找到的段落都没有谈到票价。"),
    "规划": Reply(
        "第100页的措施要求加强统筹协调[1]。", ((1, "long", "第100页的措施：加强统筹协调，压实工作责任", GOOD, ()),),
    ),
    "evil": Reply(
        f"模型说{NEEDLE}[1]。", ((1, "evil", f"正文{NEEDLE}有一句。", PART, (f"理由{NEEDLE}",)),),
    ),
}  # fmt: skip


class FakeAsker:
    """Answers by the first key of REPLIES that the question holds; counts what was cancelled."""

    def __init__(self, pause_seconds: float = 0.0) -> None:
        self.named = documents()
        self.hold = threading.Event()  # a question with “慢” waits here in the middle of its draft
        self.ended = threading.Event()  # set when a stream's finally has run
        self.histories: list[tuple[Turn, ...]] = []
        self._pause_seconds = pause_seconds

    def stream(
        self, question: str, history: tuple[Turn, ...] = (), cancelled: Cancelled | None = None
    ) -> Iterator[Event]:
        self.histories.append(history)
        if not question:
            raise QuestionError("the question is empty: type one")
        if "broken" in question:
            raise LibraryError(f"the library is locked {NEEDLE}")
        if "bug" in question:
            raise RuntimeError("a bug")
        return self._events(question, cancelled or Cancelled())

    def document(self, doc_id: str) -> Document:
        for one in self.named.values():
            if one.doc_id == doc_id:
                return one
        raise LibraryError("there is no such document")

    def _events(self, question: str, cancelled: Cancelled) -> Iterator[Event]:
        try:
            reply = next((reply for key, reply in REPLIES.items() if key in question), REPLIES["增长"])
            answer = self.answer(question, reply)
            cancelled.wait(self._pause_seconds * 10)
            yield EvidenceFound(answer.hits, answer.evidence)
            cancelled.wait(self._pause_seconds * 10)
            for at in range(0, len(answer.text), 2):
                if at == 4 and "慢" in question:
                    while not self.hold.is_set() and not cancelled.is_set():
                        cancelled.wait(0.01)
                if cancelled.is_set():
                    return
                cancelled.wait(self._pause_seconds)
                yield TokenText(answer.text[at : at + 2])
            yield AnswerReady(answer)
        finally:
            self.ended.set()

    def answer(self, question: str, reply: Reply) -> Answer:
        citations = tuple(self._citation(reply.text, *cited) for cited in reply.cited)
        evidence = tuple(
            Evidence(one.marker, one.doc_id, one.title, one.span, one.quote) for one in citations
        ) or tuple(self._passages())
        hits = tuple(
            Hit(Chunk(one.doc_id, one.span, one.quote), one.title, 1.0, rank)
            for rank, one in enumerate(evidence, start=1)
        )
        return Answer(
            question, reply.text, citations, reply.dangling, evidence, hits, reply.abstained, reply.reason, 0.9,
            "fake-model", Timings(0.2, 1.1, 3.4, 400, 60),
        )  # fmt: skip

    def _citation(
        self, text: str, marker: int, name: str, quote: str, support: Support, reasons: tuple[str, ...]
    ) -> Citation:
        cited = self.named[name]
        start = cited.text.index(quote)
        page = next((page.number for page in cited.pages if page.span.start <= start < page.span.end), None)
        at = text.index(f"[{marker}]")
        sentence = Span(max(text.rfind("。", 0, at), text.rfind(". ", 0, at), text.rfind("，并", 0, at)) + 1, at + 3)
        span = Span(start, start + len(quote))
        return Citation(marker, cited.doc_id, cited.title, cited.source, page, span, quote, sentence, support, reasons)

    def _passages(self) -> Iterator[Evidence]:
        for number, (name, quote) in enumerate(
            (("zh", "新建公办幼儿园26所，新增学位7800个"), ("en", "The harbour railway, 86 kilometres long")), start=1
        ):
            found = self.named[name]
            start = found.text.index(quote)
            yield Evidence(number, found.doc_id, found.title, Span(start, start + len(quote)), quote)
