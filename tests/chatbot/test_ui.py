"""The window's handlers, called as plain functions."""

import threading
from collections.abc import Iterator

import pytest

from chatbot.types import Turn
from chatbot.ui.conversation import Conversations
from chatbot.ui.handlers import Handlers, Screen
from chatbot.ui.texts import EN, ZH
from tests.chatbot.fake_asker import REPLIES, FakeAsker

EXAMPLES = ("青岚市经济增长了多少？", "What are the goals for the coming year?")


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker()


@pytest.fixture
def handlers(asker: FakeAsker) -> Handlers:
    made = Handlers(asker, EXAMPLES)
    made.show("s", "zh")
    return made


def ask(handlers: Handlers, question: str, session: str = "s") -> list[Screen]:
    return [handlers.begin(session, question), *handlers.run(session)]


def lives(screens: list[Screen]) -> list[str]:
    return [screen.live for screen in screens if screen.live is not None]


def test_the_question_appears_at_once(handlers: Handlers) -> None:
    screen = handlers.begin("s", "增长多少？")
    assert "增长多少？" in screen.live
    assert (screen.question, screen.busy) == ("", True)


def test_evidence_comes_before_the_first_word(handlers: Handlers) -> None:
    shown = lives(ask(handlers, "增长多少？"))
    first_evidence = next(at for at, live in enumerate(shown) if "evidence:0:0" in live)
    first_word = next(at for at, live in enumerate(shown) if "draft" in live)
    assert first_evidence < first_word


def test_the_checked_answer_replaces_the_draft(handlers: Handlers) -> None:
    last = ask(handlers, "增长多少？")[-1]
    assert "citation:0:0" in last.live
    assert 'class="draft"' not in last.live
    assert last.busy is False


def test_an_earlier_exchange_moves_up(handlers: Handlers) -> None:
    ask(handlers, "增长多少？")
    assert "增长多少？" in handlers.begin("s", "goals").past


def test_the_history_is_the_answered_turns(handlers: Handlers, asker: FakeAsker) -> None:
    ask(handlers, "增长多少？")
    ask(handlers, "broken")
    ask(handlers, "goals")
    assert asker.histories[-1] == (Turn("增长多少？", asker.answer("", REPLIES["增长"]).text),)


def test_sessions_do_not_see_each_other(handlers: Handlers) -> None:
    ask(handlers, "增长多少？", session="a")
    screen, _ = handlers.show("b", "zh")
    assert screen.past == ""
    assert "增长多少？" not in screen.live


def test_an_invalid_question_goes_back_into_the_box_with_one_sentence(handlers: Handlers) -> None:
    last = ask(handlers, "   ")[-1]
    assert "the question is empty" in last.alert
    assert (last.question, last.busy) == ("", False)
    assert "welcome" in last.live


def test_an_error_of_the_world_is_one_escaped_sentence(handlers: Handlers) -> None:
    last = ask(handlers, "broken")[-1]
    assert "the library is locked &lt;img" in last.live
    assert last.busy is False


def test_a_bug_is_logged_and_shown_as_a_sentence(handlers: Handlers, caplog: pytest.LogCaptureFixture) -> None:
    last = ask(handlers, "bug")[-1]
    assert ZH.failed in last.live
    assert "RuntimeError: a bug" in caplog.text


def test_stop_ends_the_stream_and_keeps_the_draft(handlers: Handlers, asker: FakeAsker) -> None:
    handlers.begin("s", "慢")
    screens = handlers.run("s")
    next(screens)
    next(screens)
    handlers.stop("s")
    last = list(screens)[-1]
    assert asker.ended.is_set()
    assert ZH.stopped in last.live
    assert last.busy is False


def test_stop_while_waiting_for_a_turn_is_over_at_once(handlers: Handlers) -> None:
    handlers.begin("s", "增长多少？")
    stopped = handlers.stop("s")
    assert ZH.stopped_early in stopped.live
    assert stopped.busy is False
    assert list(handlers.run("s")) == []


def test_stop_without_a_run_changes_no_exchange(handlers: Handlers) -> None:
    ask(handlers, "增长多少？")
    assert "citation:0:0" in handlers.stop("s").live


def test_a_closed_page_ends_the_stream(handlers: Handlers, asker: FakeAsker) -> None:
    handlers.begin("s", "慢")
    screens = handlers.run("s")
    next(screens)
    screens.close()
    assert asker.ended.is_set()


def test_a_second_question_waits_for_the_first(handlers: Handlers) -> None:
    handlers.begin("s", "慢")
    assert handlers.begin("s", "goals") == Screen()


def test_a_run_is_taken_once(handlers: Handlers) -> None:
    handlers.begin("s", "慢")
    running = handlers.run("s")
    next(running)
    assert list(handlers.run("s")) == []


def test_clear_during_a_run_shows_the_welcome_and_nothing_after_it(handlers: Handlers, asker: FakeAsker) -> None:
    handlers.begin("s", "慢")
    screens = handlers.run("s")
    next(screens)
    assert "welcome" in handlers.clear("s").live
    assert list(screens) == []
    assert asker.ended.is_set()


def test_retry_asks_the_last_question_again(handlers: Handlers, asker: FakeAsker) -> None:
    ask(handlers, "增长多少？")
    handlers.begin_again("s")
    last = list(handlers.run("s"))[-1]
    assert "citation:0:0" in last.live
    assert asker.histories == [(), ()]


def test_an_example_is_asked_by_its_number(handlers: Handlers) -> None:
    assert EXAMPLES[1] in handlers.begin_example("s", 1).live


@pytest.mark.parametrize("at", [-1, 2])
def test_an_example_that_is_not_there_changes_nothing(handlers: Handlers, at: int) -> None:
    assert handlers.begin_example("s", at) == Screen()


def test_a_citation_opens_while_another_answer_is_being_written(handlers: Handlers) -> None:
    ask(handlers, "增长多少？")
    handlers.begin("s", "慢")
    next(handlers.run("s"))
    assert "<mark>2030年" in handlers.open("s", "citation:0:0").source


def test_evidence_opens_before_the_answer(handlers: Handlers) -> None:
    handlers.begin("s", "慢")
    screens = handlers.run("s")
    next(screens)
    assert "<mark>" in handlers.open("s", "evidence:0:1").source


def test_next_and_previous_lead_to_the_neighbours(handlers: Handlers) -> None:
    ask(handlers, "增长多少？")
    source = handlers.open("s", "citation:0:1").source
    assert 'data-open="citation:0:0:0:0"' in source
    assert 'data-open="citation:0:2:0:0"' in source


def test_show_later_shows_more(handlers: Handlers) -> None:
    ask(handlers, "规划")
    less = handlers.open("s", "citation:0:0").source
    assert len(handlers.open("s", "citation:0:0:0:1").source) > len(less)


@pytest.mark.parametrize("key", ["", "citation:0", "citation:0:-1", "citation:0:0:1", "x:0:0", "citation:0:0:99999:0"])
def test_a_forged_key_changes_nothing(handlers: Handlers, key: str) -> None:
    ask(handlers, "增长多少？")
    assert handlers.open("s", key) == Screen()


@pytest.mark.parametrize("key", ["citation:0:77", "citation:9:0"])
def test_a_place_that_is_gone_says_so(handlers: Handlers, key: str) -> None:
    ask(handlers, "增长多少？")
    assert ZH.gone in handlers.open("s", key).source


def test_a_document_that_is_gone_is_one_sentence(handlers: Handlers, asker: FakeAsker) -> None:
    ask(handlers, "增长多少？")
    del asker.named["zh"]
    assert "there is no such document" in handlers.open("s", "citation:0:0").source


def test_changing_the_language_says_the_same_exchange_in_other_words(handlers: Handlers) -> None:
    ask(handlers, "地铁")
    screen, texts = handlers.show("s", "en")
    assert texts is EN
    assert EN.refusal in screen.live


def test_too_many_askers_are_told_to_come_again(handlers: Handlers) -> None:
    handlers.begin("s", "增长多少？")
    refused = handlers.refuse("s")
    assert ZH.busy in refused.live
    assert handlers.begin("s", "增长多少？").busy is True


def test_the_conversation_longest_unused_is_forgotten_and_its_run_cancelled() -> None:
    conversations = Conversations(capacity=2)
    oldest = conversations.of("a")
    oldest.begin("q")
    cancelled = oldest.cancelled
    conversations.of("b")
    conversations.of("c")
    assert cancelled.is_set()
    assert conversations.of("a") is not oldest


def test_a_caller_without_a_session_is_never_remembered() -> None:
    conversations = Conversations()
    assert conversations.of("") is not conversations.of("")


def test_two_sessions_run_at_the_same_time(handlers: Handlers, asker: FakeAsker) -> None:
    handlers.begin("a", "慢")
    slow: Iterator[Screen] = handlers.run("a")
    thread = threading.Thread(target=lambda: list(slow))
    thread.start()
    assert "citation:0:0" in ask(handlers, "goals", session="b")[-1].live
    asker.hold.set()
    thread.join(5)
    assert not thread.is_alive()
