"""The window in a real Chromium: what a reader sees and does. Screenshots go to artefacts/, to be looked at."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from chatbot.serve import listen, make_server
from chatbot.ui.texts import EN, ZH
from tests.chatbot.fake_asker import NEEDLE, FakeAsker

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARTEFACTS = Path(__file__).parents[2] / "artefacts"
EXAMPLES = (
    "青岚市2030年经济增长了多少？",
    "What are the goals for the coming year?",
    "规划纲要提出了哪些措施？",
    "青岚市的地铁票价是多少？",
    "evil",
    NEEDLE,
)
pytestmark = [
    pytest.mark.browser,
    # gradio's queue keeps statistics with calls that newer pandas means to drop
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def asker() -> FakeAsker:
    return FakeAsker(pause_seconds=0.005)


@contextmanager
def serving(asker: FakeAsker, examples: tuple[str, ...] = ()) -> Iterator[str]:
    """The address that the server announced. It is built in its own thread: playwright's loop runs in this one."""
    told: Queue[str] = Queue()
    listening = listen(port=0)
    with ThreadPoolExecutor(1) as pool:
        server = pool.submit(make_server, listening, asker, examples, told.put).result()
        done = pool.submit(server.run, [listening])
        yield told.get(timeout=60)
        server.should_exit = True
        done.result(timeout=20)


@pytest.fixture(scope="module")
def url(asker: FakeAsker) -> Iterator[str]:
    with serving(asker, EXAMPLES) as announced:
        yield announced


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Reader:
    """One page, with what it asked for over the network and what it complained about."""

    def __init__(
        self,
        browser: sync_api.Browser,
        url: str,
        locale: str = "zh-CN",
        size: tuple[int, int] = (1440, 900),
        scheme: str = "light",
    ) -> None:
        width, height = size
        self.context = browser.new_context(
            locale=locale, viewport={"width": width, "height": height}, color_scheme=scheme
        )
        self.page = self.context.new_page()
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda message: self.complaints.append(message.text) if message.type == "error" else None
        )
        self.page.on("dialog", lambda dialog: (self.complaints.append("a dialog opened"), dialog.dismiss()))
        self.page.goto(url)
        self.page.wait_for_selector("body.ready .welcome")

    def ask(self, question: str) -> None:
        before = self.page.locator(".exchange").count()
        self.page.fill("#question textarea", question)
        self.page.press("#question textarea", "Enter")
        self.page.wait_for_function("(before) => document.querySelectorAll('.exchange').length > before", arg=before)
        self.page.wait_for_selector("#live .exchange:not(.running)")

    def open(self, marker: str) -> None:
        self.page.click(f"#live .answer .cite:text('{marker}')")
        self.page.wait_for_selector("#source mark")

    def shot(self, name: str) -> None:
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")


@pytest.fixture
def reader(browser: sync_api.Browser, url: str) -> Iterator[Reader]:
    opened = Reader(browser, url)
    yield opened
    opened.context.close()


def marked_is_in_view(page: sync_api.Page) -> bool:
    page.wait_for_timeout(200)
    return page.evaluate("""() => {
        const mark = document.querySelector("#source mark").getBoundingClientRect();
        const frame = document.querySelector("#source .scroll").getBoundingClientRect();
        return mark.top >= frame.top && mark.bottom <= frame.bottom;
    }""")


def test_an_example_is_answered_and_its_citation_opens_at_the_marked_words(reader: Reader) -> None:
    reader.page.click(f".examples button:text('{EXAMPLES[0]}')")
    reader.page.wait_for_selector("#live .exchange.done")
    reader.shot("zh-answer")
    reader.open("2")
    assert reader.page.inner_text("#source mark").startswith("粮食总产量稳定在214.6万吨")
    assert marked_is_in_view(reader.page)
    reader.shot("zh-citation")


def test_next_leads_to_the_following_citation(reader: Reader) -> None:
    reader.ask("增长多少？")
    reader.open("1")
    reader.page.click(f"#source [title='{ZH.following}']")
    reader.page.wait_for_selector("#source mark:text('粮食总产量')")
    assert marked_is_in_view(reader.page)


def test_two_hundred_pages_open_at_the_marked_words(reader: Reader) -> None:
    reader.ask("规划")
    reader.open("1")
    assert reader.page.inner_text("#source .file").endswith("第 100 页")
    assert marked_is_in_view(reader.page)
    reader.shot("zh-long")


def test_earlier_text_appears_above_and_the_reader_stays_in_place(reader: Reader) -> None:
    reader.ask("规划")
    reader.open("1")
    reader.page.evaluate("document.querySelector('#source .scroll').scrollTop = 0")
    first_seen = "document.querySelector('#source .text .page').getBoundingClientRect().top"
    label = reader.page.inner_text("#source .text .page >> nth=0")
    top = reader.page.evaluate(first_seen)
    reader.page.click(f"#source .more:text('{ZH.earlier}')")
    reader.page.wait_for_function("document.querySelectorAll('#source .text .page').length > 10")
    reader.page.wait_for_timeout(200)
    now = reader.page.locator(f"#source .text .page:text-is('{label}')").bounding_box()["y"]
    assert abs(now - top) < 60  # the height of the button that went up


def test_a_citation_opens_while_an_answer_is_being_written(reader: Reader, asker: FakeAsker) -> None:
    asker.hold.clear()
    reader.page.fill("#question textarea", "慢")
    reader.page.click("#send")
    reader.page.wait_for_selector("#live .draft")
    reader.page.click("#live .card >> nth=1")
    reader.page.wait_for_selector("#source mark")
    assert reader.page.is_visible("#stop")
    reader.page.click("#stop")
    reader.page.wait_for_selector("#live .exchange.stopped")


def test_stop_ends_the_stream_and_the_next_question_works(reader: Reader, asker: FakeAsker) -> None:
    asker.hold.clear()
    asker.ended.clear()
    reader.page.fill("#question textarea", "慢")
    reader.page.click("#send")
    reader.page.wait_for_selector("#live .draft")
    reader.shot("zh-draft")
    reader.page.click("#stop")
    reader.page.wait_for_selector("#live .exchange.stopped")
    assert asker.ended.is_set()
    reader.ask("goals")
    assert reader.page.is_visible("#live .verdict")


def test_a_second_question_stays_in_the_box_while_the_first_is_answered(reader: Reader, asker: FakeAsker) -> None:
    asker.hold.clear()
    reader.page.fill("#question textarea", "慢")
    reader.page.click("#send")
    reader.page.wait_for_selector("#live .draft")
    reader.page.fill("#question textarea", "goals")
    reader.page.press("#question textarea", "Enter")
    reader.page.wait_for_timeout(1500)  # the server has seen it by now
    asker.hold.set()
    reader.page.wait_for_selector("#live .exchange.done")
    assert reader.page.input_value("#question textarea") == "goals"
    assert reader.page.locator(".exchange").count() == 1


def test_closing_the_tab_ends_the_stream(browser: sync_api.Browser, url: str, asker: FakeAsker) -> None:
    asker.hold.clear()
    asker.ended.clear()
    reader = Reader(browser, url)
    reader.page.fill("#question textarea", "慢")
    reader.page.click("#send")
    reader.page.wait_for_selector("#live .draft")
    reader.context.close()
    assert asker.ended.wait(20)


def test_clear_during_an_answer_leaves_room_for_the_next(reader: Reader, asker: FakeAsker) -> None:
    asker.hold.clear()
    reader.page.fill("#question textarea", "慢")
    reader.page.click("#send")
    reader.page.wait_for_selector("#live .draft")
    reader.page.click("#clear")
    reader.page.wait_for_selector("#live .welcome")
    reader.ask("goals")
    assert reader.page.is_visible("#live .exchange.done")


def test_retry_answers_the_same_question_again(reader: Reader) -> None:
    reader.ask("goals")
    reader.page.click("#retry")
    reader.page.wait_for_selector("#live .exchange.running")
    reader.page.wait_for_selector("#live .exchange.done")
    assert reader.page.locator(".exchange").count() == 1


def test_a_refusal_shows_the_nearest_passages(reader: Reader) -> None:
    reader.ask("地铁票价？")
    assert reader.page.inner_text("#live .refusal h3") == ZH.refusal
    reader.page.click("#live .card >> nth=1")
    reader.page.wait_for_selector("#source mark:text('harbour railway')")
    reader.shot("zh-refusal")


def test_an_empty_question_is_one_sentence_above_the_box(reader: Reader) -> None:
    reader.page.click("#send")
    reader.page.wait_for_selector("#alert .alert")
    assert reader.page.inner_text("#alert .alert") == "the question is empty: type one"


def test_enter_on_a_focused_marker_opens_it(reader: Reader) -> None:
    reader.ask("goals")
    reader.page.focus("#live .answer .cite >> nth=1")
    reader.page.keyboard.press("Enter")
    reader.page.wait_for_selector("#source mark:text('harbour railway')")


def test_enter_that_confirms_a_composed_word_does_not_send(reader: Reader) -> None:
    reader.page.fill("#question textarea", "增长多少？")
    press = """(composing) => document.querySelector("#question textarea").dispatchEvent(new KeyboardEvent(
        "keypress", {key: "Enter", bubbles: true, cancelable: true, isComposing: composing}))"""
    reader.page.evaluate(press, True)
    reader.page.wait_for_timeout(500)
    assert reader.page.is_visible(".welcome")
    reader.page.evaluate(press, False)  # the same key outside a composition does send
    reader.page.wait_for_selector("#live .exchange")


def test_the_browsers_language_is_spoken_and_can_be_switched(browser: sync_api.Browser, url: str) -> None:
    reader = Reader(browser, url, locale="en-US", scheme="dark")
    assert reader.page.inner_text(".welcome h2") == EN.greeting
    assert reader.page.inner_text("#notice") == EN.notice
    reader.shot("en-dark-welcome")
    reader.ask("goals")
    reader.open("2")
    reader.shot("en-dark-citation")
    reader.page.click("#language label:has-text('中文')")
    reader.page.wait_for_selector(f"#notice:has-text('{ZH.notice}')")
    assert ZH.all_supported in reader.page.inner_text("#live .verdict")
    reader.page.reload()
    reader.page.wait_for_selector(f".welcome h2:has-text('{ZH.greeting}')")
    reader.context.close()


def test_dark_is_chosen_by_the_system_or_by_hand(reader: Reader) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light = reader.page.evaluate(colour)
    reader.page.click("#theme")
    assert reader.page.evaluate(colour) != light
    reader.page.reload()
    reader.page.wait_for_selector(".welcome")
    reader.page.wait_for_timeout(300)
    assert reader.page.evaluate(colour) != light


def test_on_a_phone_the_source_covers_the_chat_and_closes(browser: sync_api.Browser, url: str) -> None:
    reader = Reader(browser, url, size=(390, 844))
    reader.shot("phone-welcome")
    reader.ask("增长多少？")
    reader.shot("phone-answer")
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390
    reader.open("2")
    assert marked_is_in_view(reader.page)
    reader.shot("phone-citation")
    reader.page.click("#source [data-close]")
    reader.page.wait_for_selector("#source mark", state="hidden")
    reader.context.close()


def test_nothing_untrusted_runs_in_the_page(reader: Reader) -> None:
    reader.page.click(".examples button >> nth=5")  # the needle as a question
    reader.page.wait_for_selector("#live .exchange.done")
    reader.ask("evil")
    reader.open("1")
    reader.ask("broken")
    reader.page.wait_for_timeout(500)
    assert NEEDLE in reader.page.inner_text("#source .text")
    assert reader.page.evaluate("window.hacked") is None
    assert reader.page.locator("#work img, #work script, #work iframe").count() == 0
    assert reader.complaints == []


def test_no_request_leaves_the_machine(reader: Reader, url: str) -> None:
    reader.ask(f"goals ![leak](http://leak.example/?q) {NEEDLE}")
    reader.open("1")
    local = (url, "data:", "blob:")
    assert [asked for asked in reader.requested if not asked.startswith(local)] == []


def test_even_a_planted_image_is_blocked_by_the_policy(reader: Reader) -> None:
    blocked = reader.page.evaluate("""() => new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.blockedURI));
        document.body.append(Object.assign(new Image(), { src: "http://leak.example/pixel.png" }));
        setTimeout(() => resolve("nothing was blocked"), 3000);
    })""")
    assert blocked == "http://leak.example/pixel.png"


def test_the_page_is_quiet(reader: Reader) -> None:
    reader.ask("增长多少？")
    reader.open("1")
    assert reader.page.locator("footer:visible").count() == 0
    assert reader.complaints == []


def test_the_server_says_it_is_up_only_when_the_page_opens(browser: sync_api.Browser) -> None:
    with serving(FakeAsker()) as announced:
        page = browser.new_page()
        assert page.goto(announced).status == 200
        page.close()
