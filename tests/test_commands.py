"""The command line as evaluators script against it, with a scripted generator and no models."""

import json
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import wence
from chatbot.generate import Generator, Message
from chatbot.generators.scripted import ScriptedGenerator

Run = Callable[..., tuple[int, str, str]]


def reply(messages: Sequence[Message]) -> str:
    """Answers from the evidence line that names the share, or invents a marker."""
    for line in messages[-1].text.splitlines():
        if "百分之九十八" in line:
            return f"集中供水率要达到百分之九十八{line.split(']')[0]}]。"
    return "没有依据的话[99]。"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `wence` with arguments; returns exit code, stdout and stderr."""
    monkeypatch.setenv("WENCE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WENCE_INDEX__EMBEDDER", "hash")
    monkeypatch.setenv("WENCE_CHATBOT__MIN_ANSWERABLE", "0")
    monkeypatch.setattr("chatbot.open.open_generator_for", scripted)

    def run_with(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["wence", *arguments])
        try:
            wence.main()
            code = 0
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 1
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_with


def scripted(*_: object) -> Generator:
    return ScriptedGenerator(reply)


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.startswith("wence: ") and "Traceback" not in text


def test_ingest_reports_every_file_and_exits_0(run: Run, reports: Path) -> None:
    code, _, said = run("ingest", str(reports))
    assert code == 0
    assert all(name in said for name in ("harbour.md", "hill.txt", "transport.md"))


def test_ingest_json_is_one_event_a_line(run: Run, reports: Path) -> None:
    _, out, _ = run("ingest", str(reports), "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["outcome"] for event in events if event["event"] == "file"] == ["added"] * 3


def test_ingest_of_a_broken_file_finishes_the_rest_and_exits_1(run: Run, reports: Path) -> None:
    (reports / "broken.pdf").write_bytes(b"%PDF-1.7 cut short")
    code, _, said = run("ingest", str(reports))
    assert code == 1
    assert "failed" in said
    assert len(json.loads(run("documents", "--json")[1])) == 3


def test_documents_lists_what_the_contract_names(run: Run, reports: Path) -> None:
    run("ingest", str(reports), "--collection", "cities")
    entry = json.loads(run("documents", "--json")[1])[0]
    assert {"doc_id", "title", "source", "collection", "chars", "pages", "meta"} <= entry.keys()
    assert entry["collection"] == "cities"


def test_documents_show_text_adds_nothing(run: Run, reports: Path) -> None:
    run("ingest", str(reports))
    for entry in json.loads(run("documents", "--json")[1]):
        text = run("documents", "show", entry["doc_id"], "--text")[1]
        assert len(text) == entry["chars"]
        assert text == json.loads(run("documents", "show", entry["doc_id"], "--json")[1])["text"]


def test_search_hits_slice_back_to_their_document(run: Run, reports: Path) -> None:
    run("ingest", str(reports))
    hits = json.loads(run("search", "集中供水率", "-k", "2", "--json")[1])
    assert len(hits) == 2
    for hit in hits:
        assert {"doc_id", "start", "end", "text", "score", "headings"} <= hit.keys()
        text = run("documents", "show", hit["doc_id"], "--text")[1]
        assert text[hit["start"] : hit["end"]] == hit["text"]


def test_ask_json_holds_the_whole_contract(run: Run, reports: Path) -> None:
    run("ingest", str(reports))
    answer = json.loads(run("ask", "丘陵县的集中供水率目标是多少？", "--json")[1])
    assert {
        "question",
        "text",
        "abstained",
        "reason",
        "citations",
        "dangling",
        "hits",
        "model",
        "timings",
    } <= answer.keys()
    assert {"evidence_s", "first_token_s", "total_s", "prompt_tokens", "completion_tokens"} <= answer["timings"].keys()


def test_a_citation_is_the_text_at_its_span(run: Run, reports: Path) -> None:
    run("ingest", str(reports))
    answer = json.loads(run("ask", "丘陵县的集中供水率目标是多少？", "--json")[1])
    citation = answer["citations"][0]
    text = run("documents", "show", citation["doc_id"], "--text")[1]
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert "百分之九十八" in citation["quote"]
    assert citation["support"] == "supported"


def test_an_invented_marker_is_dangling(run: Run, reports: Path) -> None:
    run("ingest", str(reports))
    assert 99 in json.loads(run("ask", "Cycle lanes?", "--json")[1])["dangling"]


def test_a_batch_answers_good_lines_and_names_bad_ones(run: Run, reports: Path, tmp_path: Path) -> None:
    run("ingest", str(reports))
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    lines = ['{"id": "a", "question": "集中供水率？"}', "not json", '{"id": "b"}', '{"id": 4, "question": " "}']
    questions.write_text("\n".join(lines), encoding="utf-8")
    code, _, said = run("ask", "--batch", str(questions), "--out", str(answers))
    assert code == 1
    assert [json.loads(line)["id"] for line in answers.read_text(encoding="utf-8").splitlines()] == ["a"]
    assert all(f"questions.jsonl:{number} " in said for number in (2, 3, 4))


def test_a_batch_takes_a_history(run: Run, reports: Path, tmp_path: Path) -> None:
    run("ingest", str(reports))
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    history = [{"question": "丘陵县的集中供水率目标是多少？", "answer": "98%"}]
    questions.write_text(json.dumps({"id": "a", "question": "那海港市呢？", "history": history}), encoding="utf-8")
    assert run("ask", "--batch", str(questions), "--out", str(answers))[0] == 0
    assert json.loads(answers.read_text(encoding="utf-8"))["question"] == "那海港市呢？"


@pytest.mark.parametrize(
    ("question", "said"),
    [("", "question is empty"), ("  ", "question is empty"), ("长" * 10_000, "has 10000 characters")],
)
def test_a_question_that_cannot_be_asked_is_one_line(run: Run, reports: Path, question: str, said: str) -> None:
    run("ingest", str(reports))
    code, _, error = run("ask", question)
    assert code == 1
    assert one_line(error)
    assert said in error


def test_asking_an_empty_library_is_one_line(run: Run) -> None:
    code, _, error = run("ask", "目标是多少？")
    assert code == 1
    assert one_line(error)
    assert "wence ingest" in error


@pytest.mark.parametrize(
    "arguments", [("ask",), ("ask", "a", "--batch", "b"), ("ask", "--batch", "b"), ("search",), ("x",)]
)
def test_wrong_usage_exits_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2


def test_an_unknown_file_type_is_one_line_and_exits_1(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"x")
    code, _, said = run("ingest", str(path))
    assert code == 1
    assert "film.mp4" in said.splitlines()[0]


def test_an_index_of_another_embedder_is_one_line(run: Run, reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("ingest", str(reports))
    monkeypatch.setattr("index.embed.HashEmbedder.__init__.__defaults__", (128,))
    code, _, error = run("search", "供水")
    assert code == 1
    assert one_line(error)
    assert "wence reindex" in error


def test_reindex_makes_the_library_searchable_again(run: Run, reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("ingest", str(reports))
    monkeypatch.setattr("index.embed.HashEmbedder.__init__.__defaults__", (128,))
    assert run("reindex")[0] == 0
    assert run("search", "供水")[0] == 0


def test_a_missing_model_is_one_line(run: Run, reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENCE_INDEX__EMBEDDER", "default")
    code, _, error = run("search", "供水")
    assert code == 1
    assert one_line(error)
    assert "wence models prepare" in error


def test_a_port_in_use_is_one_line(run: Run, reports: Path) -> None:
    run("ingest", str(reports))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, error = run("serve", "--port", str(taken.getsockname()[1]))
    assert code == 1
    assert one_line(error)
    assert "cannot be used" in error
