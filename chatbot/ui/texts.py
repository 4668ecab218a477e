"""Every word the window says, in Chinese and in English. Knows no HTML and no gradio."""

from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Texts:
    """The window's words in one language; `{…}` are filled with `str.format`."""

    lang: Lang
    name: str
    tagline: str
    theme: str
    greeting: str
    introduction: str
    examples: str
    placeholder: str
    question: str
    send: str
    stop: str
    retry: str
    clear: str
    notice: str
    searching: str
    reading: str
    drafting: str
    stopped: str
    stopped_early: str
    found: str
    cited: str
    no_citations: str
    all_supported: str
    to_check: str
    supported: str
    partial: str
    unsupported: str
    dangling: str
    reason: str
    refusal: str
    nearest: str
    took: str
    open_place: str
    source_empty: str
    source_hint: str
    citation_of: str
    passage_of: str
    previous: str
    following: str
    close: str
    page: str
    file: str
    earlier: str
    later: str
    between: str
    gone: str
    busy: str
    failed: str


ZH = Texts(
    lang="zh",
    name="问策",
    tagline="政策文件问答，句句有出处",
    theme="深浅色",
    greeting="想了解什么？",
    introduction="根据已收录的政策文件作答。每句话都附编号，点开即可核对原文。",
    examples="试试这些问题",
    placeholder="请输入关于政策文件的问题",
    question="问题",
    send="发送",
    stop="停止",
    retry="重新回答",
    clear="清空对话",
    notice="AI 生成，请核对引文",
    searching="正在检索文件…",
    reading="找到 {count} 条依据，正在阅读…",
    drafting="草稿，尚未核对",
    stopped="已停止。以上是未经核对的草稿。",
    stopped_early="已停止。",
    found="找到的依据（{count}）",
    cited="引用出处",
    no_citations="这个回答没有引用任何依据，请谨慎使用。",
    all_supported="引文已逐条核对",
    to_check="{count} 处需要人工核对",
    supported="依据充分",
    partial="部分有依据",
    unsupported="依据不足",
    dangling="编号没有对应的依据",
    reason="{label}：{reasons}",
    refusal="现有文件不足以回答",
    nearest="最接近的段落",
    took="{seconds} 秒 · {model}",
    open_place="打开依据 {number}：{title}",
    source_empty="原文",
    source_hint="点击回答里的编号，这里会打开原文并标出所引的句子。",
    citation_of="引文 {position} / {count}",
    passage_of="依据 {position} / {count}",
    previous="上一处",
    following="下一处",
    close="关闭原文",
    page="第 {number} 页",
    file="文件",
    earlier="显示前面的内容",
    later="显示后面的内容",
    between="、",
    gone="这条引文已不在内存中，请重新提问。",
    busy="现在提问的人较多，请稍后点“重新回答”。",
    failed="程序出错，回答没有完成。请重试；若仍出错，请把日志交给管理员。",
)

EN = Texts(
    lang="en",
    name="Wence",
    tagline="Policy answers, sourced line by line",
    theme="Light / dark",
    greeting="What would you like to know?",
    introduction="Answers come from the policy reports in the library. Every number opens the exact words behind it.",
    examples="Questions to start with",
    placeholder="Ask about the policy reports",
    question="Question",
    send="Send",
    stop="Stop",
    retry="Answer again",
    clear="Clear chat",
    notice="AI-generated: check the cited text",
    searching="Searching the reports…",
    reading="{count} passages found, reading them…",
    drafting="Draft, not checked yet",
    stopped="Stopped. The text above is an unchecked draft.",
    stopped_early="Stopped.",
    found="Passages found ({count})",
    cited="Cited",
    no_citations="This answer cites nothing. Use it with care.",
    all_supported="Every citation was checked",
    to_check="To check by hand: {count}",
    supported="Supported",
    partial="Partly supported",
    unsupported="Not supported",
    dangling="This number names no passage",
    reason="{label}: {reasons}",
    refusal="The reports do not answer this",
    nearest="Nearest passages",
    took="{seconds} s · {model}",
    open_place="Open passage {number}: {title}",
    source_empty="Source",
    source_hint="Click a number in an answer: the source opens here, with the cited sentence marked.",
    citation_of="Citation {position} of {count}",
    passage_of="Passage {position} of {count}",
    previous="Previous",
    following="Next",
    close="Close the source",
    page="Page {number}",
    file="File",
    earlier="Show earlier text",
    later="Show later text",
    between="; ",
    gone="This citation is no longer in memory. Please ask again.",
    busy="Many people are asking just now. Please wait a little, then choose “Answer again”.",
    failed="Something went wrong and the answer was not finished. Try again; if it stays, give the log to your "
    "administrator.",
)


def texts_for(lang: str) -> Texts:
    """The words for "zh", "en" or a browser's tag such as "zh-CN"; English for any other language."""
    return ZH if lang.lower().startswith("zh") else EN
