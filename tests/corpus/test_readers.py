"""Files to blocks, format by format, on small files made here; then real files where they are at hand."""

import json
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from corpus.assemble import assemble
from corpus.errors import CorpusError, UnreadableDocumentError, UnsupportedFormatError
from corpus.readers import docx as docx_reader
from corpus.readers import open as opening
from corpus.readers import pdf as pdf_reader
from corpus.readers.open import read_bytes, read_file
from corpus.types import Block, RawDocument

EVALDATA = Path(__file__).parents[3] / "shared" / "evaldata"


def texts(raw: RawDocument) -> list[str]:
    return [block.text for block in raw.blocks]


def said_of(name: str, content: bytes) -> str:
    """The error's text, or nothing if the file is read."""
    try:
        read_as(name, content)
    except CorpusError as error:
        return str(error)
    return ""


def read_as(name: str, content: str | bytes) -> RawDocument:
    return read_bytes(content.encode() if isinstance(content, str) else content, Path(name))


# Names, kinds and sizes


def test_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocumentError, match=r"report\.pdf: does not exist; check the path"):
        read_file(tmp_path / "report.pdf")


def test_folder_is_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder.pdf"
    folder.mkdir()

    with pytest.raises(UnreadableDocumentError, match="no file"):
        read_file(folder)


def test_unknown_kind_names_the_kinds_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match=r"\.docx.*\.pdf"):
        read_file(tmp_path / "sheet.ods")


def test_old_word_file_says_what_to_save_it_as(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match=r"save it as \.docx"):
        read_file(tmp_path / "notice.doc")


def test_suffix_in_capitals_is_known(tmp_path: Path) -> None:
    path = tmp_path / "报告.TXT"
    path.write_text("各位代表", encoding="utf-8")

    assert texts(read_file(path)) == ["各位代表"]


@pytest.mark.parametrize("suffix", sorted(opening.SUFFIXES))
def test_empty_file_is_one_clear_line(suffix: str) -> None:
    with pytest.raises(UnreadableDocumentError, match=r"is empty \(0 bytes\)"):
        read_as(f"report{suffix}", b"")


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
def test_file_of_blanks_holds_no_text(suffix: str) -> None:
    with pytest.raises(UnreadableDocumentError, match="holds no text"):
        read_as(f"report{suffix}", b" \n\n ")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.pdf", b"PK\x03\x04", "a zip archive"),
        ("a.pdf", b"\x7fELF\x02", "a program"),
        ("a.pdf", b"<!DOCTYPE html><p>404</p>", "HTML"),
        ("a.docx", b"%PDF-1.7", "a PDF"),
        ("a.txt", b"abc\x00\x01", "binary data"),
        ("a.md", b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        ("a.html", b"%PDF-1.7", "a PDF"),
    ],
)
def test_file_that_is_not_what_its_name_says_is_refused(name: str, content: bytes, kind: str) -> None:
    with pytest.raises(UnreadableDocumentError, match=f"content is {kind}; check the file"):
        read_as(name, content)


def test_password_protected_word_file_is_named_as_such() -> None:
    with pytest.raises(UnreadableDocumentError, match="needs a password, or is an old"):
        read_as("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


def test_file_over_the_size_cap_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAX_TEXT_FILE_BYTES", 10)
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 11)

    with pytest.raises(UnreadableDocumentError, match="11 bytes, but at most 10 are read"):
        read_file(path)


@given(st.sampled_from(sorted(opening.SUFFIXES)), st.sampled_from([b"", b"%PDF-1.7\n", b"PK\x03\x04"]), st.binary())
def test_any_bytes_are_read_or_refused_in_one_line(suffix: str, start: bytes, rest: bytes) -> None:
    assert "\n" not in said_of(f"a{suffix}", start + rest)


# Plain text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
@pytest.mark.parametrize(
    "text", ["GDP 增长 5%", "通知", "各位代表：现在，我代表省人民政府作工作报告。", "国发〔2024〕12号"]
)
def test_short_chinese_text_is_read_in_any_usual_encoding(text: str, encoding: str) -> None:
    assert texts(read_as("a.txt", text.encode(encoding))) == [text]


@pytest.mark.parametrize("text", ["施政報告", "經濟部表示，去年國內生產毛額成長百分之三，出口貿易總額增加。"])
def test_traditional_text_in_big5_is_read(text: str) -> None:
    assert texts(read_as("a.txt", text.encode("big5"))) == [text]


def test_western_quotes_are_not_taken_for_chinese() -> None:
    text = "The “annual report” said growth was 5% – a café’s worth."

    assert texts(read_as("a.txt", text.encode("cp1252"))) == [text]


def test_damaged_utf8_is_read_with_a_warning() -> None:
    content = "各位代表，".encode() * 100 + b"\xe5\x90"

    assert read_as("a.txt", content).warnings == ("1 characters could not be decoded and show as \ufffd",)


def test_line_of_a_text_file_is_a_paragraph() -> None:
    assert texts(read_as("a.txt", "第一段。\r\n\r\n第二段。\n第三段")) == ["第一段。", "第二段。", "第三段"]


def test_wrapped_english_text_is_joined_with_spaces() -> None:
    content = (
        "The committee met in March to review the plan and found that all\n"
        "targets for the year had been reached, some of them well ahead\n"
        "of time.\n"
        "\n"
        "A second paragraph."
    )

    first, second = texts(read_as("a.txt", content))

    assert first.endswith("found that all targets for the year had been reached, some of them well ahead of time.")
    assert second == "A second paragraph."


def test_wrapped_chinese_text_is_joined_without_spaces() -> None:
    line = "全省地区生产总值增长百分之五点二粮食总产量再创新高居民收"

    assert texts(read_as("a.txt", f"{line}\n{line}\n入增长")) == [f"{line}{line}入增长"]


def test_list_of_short_lines_is_not_joined() -> None:
    assert texts(read_as("a.txt", "北京市\n天津市\n河北省")) == ["北京市", "天津市", "河北省"]


# Markdown

MARKDOWN = """# 某市规划

各位代表：
现在开始，见[附件](a.pdf)与 `GDP`。

- 甲
  - 乙
3. 丙
4. 丁

| 地区 | 增速 |
|---|---|
| 北京 | **5.2%** |
"""


def test_markdown_blocks_stand_in_order() -> None:
    assert read_as("a.md", MARKDOWN).blocks == (
        Block("某市规划", level=1),
        Block("各位代表：现在开始，见附件与 GDP。"),
        Block("- 甲"),
        Block("- 乙"),
        Block("3. 丙"),
        Block("4. 丁"),
        Block("地区 | 增速"),
        Block("北京 | 5.2%"),
    )


def test_markdown_title_is_its_first_heading() -> None:
    assert read_as("a.md", MARKDOWN).title == "某市规划"


def test_markdown_front_matter_gives_the_title_and_is_no_text() -> None:
    raw = read_as("a.md", '---\ntitle: "规划纲要"\ndate: 2024-01-01\n---\n正文')

    assert (raw.title, texts(raw)) == ("规划纲要", ["正文"])


def test_markdown_html_table_is_read_by_rows() -> None:
    raw = read_as("a.md", "前\n\n<table><tr><td>一</td><td>二</td></tr></table>\n\n<!-- 注 -->\n")

    assert texts(raw) == ["前", "一 | 二"]


# HTML


def page(body: str, head: str = "") -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


def test_html_leaves_out_what_is_not_its_text() -> None:
    body = (
        "<nav>首页<nav>新闻</nav></nav><script>var x</script><style>p{}</style><p>正文</p>"
        "<p hidden>藏</p><div style='display: none'><p>藏</p></div><aside>旁</aside><footer>脚</footer>"
    )

    assert texts(read_as("a.html", page(body))) == ["正文"]


def test_html_headings_and_list_entries_keep_their_marks() -> None:
    body = "<h2>一、<b>总体</b>要求</h2><ol start=3><li>甲<li>乙</ol><ul><li>丙<ul><li>丁</ul></ul>"

    blocks = read_as("a.html", page(body)).blocks

    assert blocks == (Block("一、总体要求", level=2), Block("3. 甲"), Block("4. 乙"), Block("- 丙"), Block("- 丁"))


def test_html_cell_over_two_rows_is_repeated_in_each() -> None:
    body = "<table><tr><th>地区<th>年<th>值<tr><td rowspan=2>北京<td>2023<td>1<tr><td>2024<td><p>2</p></table>"

    assert texts(read_as("a.html", page(body))) == ["地区 | 年 | 值", "北京 | 2023 | 1", "北京 | 2024 | 2"]


def test_html_table_that_lays_out_the_page_is_read_as_text() -> None:
    body = "<table><tr><td>栏目<td><p>正文</p><table><tr><td>一<td>二</table></table>"

    assert texts(read_as("a.html", page(body))) == ["栏目", "正文", "一 | 二"]


def test_html_line_breaks_are_joined_as_the_script_asks() -> None:
    assert texts(read_as("a.html", page("<p>各位\n代表 the\n plan<br>二</p>"))) == ["各位代表 the plan", "二"]


def test_html_main_part_is_preferred() -> None:
    assert texts(read_as("a.html", page("<div>菜单</div><main><p>正文</p></main>"))) == ["正文"]


def test_html_title_is_that_of_its_head() -> None:
    raw = read_as("a.html", page("<h1>标题</h1>", head="<title> 关于 \n规划</title>"))

    assert raw.title == "关于 规划"


def test_html_is_decoded_as_its_meta_says() -> None:
    content = page("<p>通知</p>", head='<meta http-equiv="Content-Type" content="text/html; charset=gb2312">')

    assert texts(read_as("a.html", content.encode("gb18030"))) == ["通知"]


def test_html_nested_beyond_reason_is_refused() -> None:
    with pytest.raises(UnreadableDocumentError, match="elements deep"):
        read_as("a.html", page("<div>" * 5000 + "x"))


# Word


def saved(document: docx.document.Document) -> bytes:
    content = BytesIO()
    document.save(content)
    return content.getvalue()


def test_word_paragraphs_and_tables_stand_in_order() -> None:
    document = docx.Document()
    document.add_heading("一、总体要求", 2)
    document.add_paragraph("　　各位代表：\t现在")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "北京", "5.2%"
    document.add_paragraph("后")

    blocks = read_as("a.docx", saved(document)).blocks

    assert blocks == (Block("一、总体要求", level=2), Block("　　各位代表：\t现在"), Block("北京 | 5.2%"), Block("后"))


def test_word_merged_cell_stands_once_in_each_row() -> None:
    document = docx.Document()
    table = document.add_table(2, 3)
    for row in (0, 1):
        for column in (0, 1, 2):
            table.cell(row, column).text = f"{row}{column}"
    table.cell(0, 0).merge(table.cell(1, 0)).text = "高"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "宽"

    assert texts(read_as("a.docx", saved(document))) == ["高 | 宽", "高 | 11 | 12"]


def test_word_outline_level_makes_a_heading() -> None:
    document = docx.Document()
    outline = OxmlElement("w:outlineLvl")
    outline.set(qn("w:val"), "1")
    document.add_paragraph("二、重点任务")._p.get_or_add_pPr().append(outline)

    assert read_as("a.docx", saved(document)).blocks == (Block("二、重点任务", level=2),)


def test_word_title_style_gives_the_title() -> None:
    document = docx.Document()
    document.core_properties.title = "模板"
    document.add_heading("政府工作报告", 0)

    raw = read_as("a.docx", saved(document))

    assert (raw.title, raw.blocks) == ("政府工作报告", (Block("政府工作报告"),))


def test_word_headers_and_footers_are_left_out() -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "页眉"
    document.sections[0].footer.paragraphs[0].text = "页脚"
    document.add_paragraph("正文")

    assert texts(read_as("a.docx", saved(document))) == ["正文"]


def test_word_deleted_and_moved_text_is_out_and_inserted_text_is_in() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("增长")
    for tag, text_tag, text in (("w:del", "w:delText", "4%"), ("w:moveFrom", "w:t", "3%"), ("w:ins", "w:t", "5%")):
        change, run, content = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(text_tag)
        content.text = text
        run.append(content)
        change.append(run)
        paragraph._p.append(change)

    assert texts(read_as("a.docx", saved(document))) == ["增长5%"]


def test_word_content_control_is_read() -> None:
    document = docx.Document()
    control, content = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
    content.append(document.add_paragraph("目标")._p)
    control.append(content)
    document.element.body.insert(0, control)

    assert texts(read_as("a.docx", saved(document))) == ["目标"]


def test_word_text_box_follows_its_paragraph_once() -> None:
    document = docx.Document()
    paragraph, inner = document.add_paragraph("正文"), document.add_paragraph("框内")
    box, run = OxmlElement("w:txbxContent"), OxmlElement("w:r")
    box.append(inner._p)
    run.append(box)
    paragraph._p.insert(0, run)

    assert texts(read_as("a.docx", saved(document))) == ["正文", "框内"]


def test_word_file_cut_off_is_one_clear_line() -> None:
    content = saved(docx.Document())

    with pytest.raises(UnreadableDocumentError, match="not a whole Word file"):
        read_as("a.docx", content[: len(content) // 2])


def test_word_file_with_a_damaged_part_is_one_clear_line() -> None:
    content = BytesIO()
    with zipfile.ZipFile(BytesIO(saved(docx.Document()))) as whole, zipfile.ZipFile(content, "w") as damaged:
        for part in whole.infolist():
            damaged.writestr(part, b"<w:doc" if part.filename == "word/document.xml" else whole.read(part))

    with pytest.raises(UnreadableDocumentError, match="not a whole Word file"):
        read_as("a.docx", content.getvalue())


def test_word_file_that_unpacks_to_too_much_is_refused() -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 5_000_000)

    with pytest.raises(UnreadableDocumentError, match="unpacks to 5,000,000 bytes"):
        read_as("a.docx", content.getvalue())


def test_word_file_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx_reader, "MAX_PARTS", 3)

    with pytest.raises(UnreadableDocumentError, match="more than is read"):
        read_as("a.docx", saved(docx.Document()))


# PDF: points from the lower left corner of an A4 page, 595 by 842

CHINESE, LATIN = "STSong-Light", "Times-Roman"
Placed = tuple[float, float, str]  # left, baseline, text


def pdf(*pages: Sequence[Placed], font: str = CHINESE, password: str | None = None) -> bytes:
    """A PDF with the given lines on each page, set in 16 points."""
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    content = BytesIO()
    canvas = Canvas(content, encrypt=StandardEncryption(password) if password else None, invariant=True)
    for lines in pages:
        canvas.setFont(font, 16)
        for left, bottom, text in lines:
            canvas.drawString(left, bottom, text)
        canvas.showPage()
    canvas.save()
    return content.getvalue()


FIRST: Placed = (122, 700, "各位代表：现在，我代表省人民政府向大会作报告")  # indented by two characters
SECOND: Placed = (90, 672, "请予审议，并请各位委员提出意见。")
THIRD: Placed = (122, 644, "全省生产总值增长５．２％。")


def test_pdf_lines_of_a_chinese_paragraph_are_joined_without_space() -> None:
    assert texts(read_as("a.pdf", pdf([FIRST, SECOND, THIRD]))) == [FIRST[2] + SECOND[2], THIRD[2]]


def test_pdf_indented_line_below_an_indented_line_is_a_new_paragraph() -> None:
    below: Placed = (122, 672, "全省生产总值增长５．２％。")
    flush: Placed = (90, 600, "省长某某。")

    assert texts(read_as("a.pdf", pdf([FIRST, below, flush]))) == [FIRST[2], below[2], flush[2]]


def test_pdf_lines_of_an_english_paragraph_are_joined_with_spaces() -> None:
    lines: list[Placed] = [
        (72, 700, "The committee met in March to review the plan and found that"),
        (72, 680, "targets were reached."),
        (72, 640, "A second paragraph."),
    ]

    assert texts(read_as("a.pdf", pdf(lines, font=LATIN))) == [
        "The committee met in March to review the plan and found that targets were reached.",
        "A second paragraph.",
    ]


def test_pdf_hyphen_that_broke_a_word_is_joined() -> None:
    lines: list[Placed] = [
        (72, 700, "The committee met in March to review the plan, the envi-"),
        (72, 680, "ronment and more."),
    ]

    (text,) = texts(read_as("a.pdf", pdf(lines, font=LATIN)))

    assert "the environment and" in text


def test_pdf_hyphen_of_a_compound_used_elsewhere_stays() -> None:
    lines: list[Placed] = [
        (72, 740, "High-speed rail."),
        (72, 700, "The committee met in March to review the plan for high-"),
        (72, 680, "speed rail."),
    ]

    assert texts(read_as("a.pdf", pdf(lines, font=LATIN)))[1].endswith("for high-speed rail.")


def test_pdf_blocks_know_their_pages() -> None:
    blocks = read_as("a.pdf", pdf([THIRD], [], [THIRD])).blocks

    assert [block.page for block in blocks] == [1, 3]


def test_pdf_sentence_over_a_page_end_is_one_block_with_its_break() -> None:
    first: Placed = (122, 100, FIRST[2])
    second: Placed = (90, 740, SECOND[2])

    (block,) = read_as("a.pdf", pdf([first], [second])).blocks

    assert block == Block(FIRST[2] + SECOND[2], page=1, page_breaks=((len(FIRST[2]), 2),))


def test_pdf_paragraph_that_ends_with_its_page_stays_alone() -> None:
    ended: Placed = (122, 100, FIRST[2] + "。")

    assert len(read_as("a.pdf", pdf([ended], [(90, 740, SECOND[2])])).blocks) == 2


def test_pdf_running_heads_and_page_numbers_are_dropped() -> None:
    pages = [[(250.0, 800.0, f"某省规划第{n}页"), THIRD, (280.0, 40.0, f"— {n} —")] for n in (1, 2, 3)]

    assert texts(read_as("a.pdf", pdf(*pages))) == [THIRD[2]] * 3


def test_pdf_head_of_a_single_page_stays() -> None:
    assert texts(read_as("a.pdf", pdf([(250, 800, "某省建设标准"), THIRD]))) == ["某省建设标准", THIRD[2]]


def test_pdf_same_line_in_the_body_of_every_page_stays() -> None:
    assert texts(read_as("a.pdf", pdf([THIRD], [THIRD], [THIRD], [THIRD]))) == [THIRD[2]] * 4


def test_pdf_rows_of_a_table_are_not_joined() -> None:
    rows = [
        (left, bottom, cell) for bottom in (700, 680) for left, cell in ((90, "地区"), (260, "2024年"), (430, "增速"))
    ]

    assert len(read_as("a.pdf", pdf(rows)).blocks) == 2


def test_pdf_centred_title_of_two_lines_is_one_block() -> None:
    content = BytesIO()
    canvas = Canvas(content)
    for size, bottom, text in ((24, 740, "Outline of the Plan for"), (24, 710, "Rural Revival"), (12, 660, "Text.")):
        canvas.setFont(LATIN, size)
        canvas.drawCentredString(297, bottom, text)
    for bottom in (640, 600):
        canvas.drawString(72, bottom, "Text.")
    canvas.save()

    assert texts(read_as("a.pdf", content.getvalue()))[0] == "Outline of the Plan for Rural Revival"


def test_pdf_numbered_entries_stay_apart() -> None:
    lines = [(122.0, bottom, f"（{number}）" + FIRST[2]) for number, bottom in (("一", 700.0), ("二", 672.0))]

    assert texts(read_as("a.pdf", pdf(lines))) == [line[2] for line in lines]


def test_pdf_page_turned_on_its_side_is_read_as_it_is_shown() -> None:
    content = BytesIO()
    canvas = Canvas(content)
    canvas.setPageRotation(90)
    canvas.rotate(90)
    canvas.drawString(72, -100, "The committee met in March to review the plan and found that")
    canvas.drawString(72, -115, "targets were reached.")
    canvas.save()

    (text,) = texts(read_as("a.pdf", content.getvalue()))

    assert text.endswith("found that targets were reached.")


def test_pdf_bookmark_states_a_heading() -> None:
    content = BytesIO()
    canvas = Canvas(content)
    canvas.drawString(72, 700, "1. Introduction")
    canvas.drawString(72, 650, "Text.")
    canvas.bookmarkPage("a")
    canvas.addOutlineEntry("Introduction", "a", level=0)
    canvas.save()

    assert read_as("a.pdf", content.getvalue()).blocks == (Block("1. Introduction", 1, 1), Block("Text.", 0, 1))


def test_pdf_with_a_password_says_so() -> None:
    with pytest.raises(UnreadableDocumentError, match="needs a password"):
        read_as("a.pdf", pdf([THIRD], password="secret"))


def test_pdf_without_text_looks_like_a_scan() -> None:
    with pytest.raises(UnreadableDocumentError, match="looks like a scan, no text layer; OCR is not built in yet"):
        read_as("a.pdf", pdf([]))


def test_pdf_that_is_only_a_beginning_is_refused() -> None:
    with pytest.raises(UnreadableDocumentError, match="not a whole PDF"):
        read_as("a.pdf", pdf([THIRD])[:60])


def test_pdf_without_its_end_is_read_with_a_warning() -> None:
    content = pdf([THIRD])
    cut = content[: content.rindex(b"xref")]

    assert "the file seems to be cut off" in read_as("a.pdf", cut).warnings


def test_pdf_page_without_text_is_named_in_a_warning() -> None:
    assert read_as("a.pdf", pdf([THIRD], [], [THIRD])).warnings == ("pages without text: 2",)


def test_pdf_of_too_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_reader, "MAX_PDF_PAGES", 2)

    with pytest.raises(UnreadableDocumentError, match="has 3 pages, but 1 to 2 are read"):
        read_as("a.pdf", pdf([THIRD], [THIRD], [THIRD]))


# Real files: read by path, never kept here


def evaldata() -> Path:
    if not EVALDATA.is_dir():
        pytest.skip("the evaluation data is not at ../shared/evaldata")
    return EVALDATA


def squeezed(text: str) -> str:
    return "".join(text.split())


def expected(kind: str) -> list[tuple[Path, dict[str, Any]]]:
    files = evaldata() / "files"
    entries = json.loads((files / "manifest.json").read_text(encoding="utf-8"))
    return [(files / entry["file"], entry["expected"]) for entry in entries if entry["kind"] == kind]


def test_provincial_reports_read_from_word_equal_their_text() -> None:
    wanted = {expected["doc_id"]: path for path, expected in expected("docx")}
    with (evaldata() / "govreports" / "corpus.jsonl").open(encoding="utf-8") as lines:
        reference = {entry["doc_id"]: entry["text"] for entry in map(json.loads, lines) if entry["doc_id"] in wanted}

    different = [i for i, path in wanted.items() if squeezed("".join(texts(read_file(path)))) != squeezed(reference[i])]

    assert len(reference) == 16
    assert different == []


def test_real_pdf_files_hold_what_must_be_found() -> None:
    found = [(squeezed(assemble(read_file(path)).text), entry) for path, entry in expected("pdf")]

    missing = [text for whole, entry in found for text in entry["must_contain"] if squeezed(text) not in whole]

    assert len(found) == 4
    assert missing == []


def test_real_pdf_files_have_their_pages() -> None:
    assert [(path.name, read_file(path).page_count) for path, _ in expected("pdf")] == [
        (path.name, entry["pages"]) for path, entry in expected("pdf")
    ]


@pytest.mark.parametrize(
    ("kind", "line"),
    [("pdf-broken", "is empty"), ("pdf-encrypted", "needs a password"), ("pdf-scan", "looks like a scan")],
)
def test_real_files_without_text_say_why(kind: str, line: str) -> None:
    for path, _ in expected(kind):
        with pytest.raises(UnreadableDocumentError, match=line):
            read_file(path)
