"""Lays out the window and wires its clicks to the handlers. The only module that knows gradio's components.

Only the run of a question waits in the queue; everything else (opening a citation, stop, language) goes past it, so
that it works while an answer is being written. Chat and source are plain HTML of our own making: gradio's Chatbot
as an input would trust what the browser sends.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from chatbot.render import escape
from chatbot.render_source import empty_html
from chatbot.ui.exchange import Asker
from chatbot.ui.handlers import Handlers, Screen
from chatbot.ui.texts import ZH, Texts

MAX_WAITING = 32  # questions in the queue; one more is told to come again
_HERE = Path(__file__).parent
_ON_CLICK = "window.wenceClicks(element, trigger);"
_ON_SOURCE = "window.wenceClicks(element, trigger); watch('value', () => window.wenceScroll(element));"
_LANGUAGE_OF_BROWSER = "() => [window.wenceLanguage()]"
_REMEMBER_LANGUAGE = "(lang) => [window.wenceLanguage(lang)]"

_Update = Any  # what gradio takes for one output: a value, gr.update(…) or gr.skip()


@dataclass(frozen=True, slots=True)
class _Parts:
    """The components that change."""

    brand: gr.HTML
    language: gr.Radio
    theme: gr.Button
    past: gr.HTML
    live: gr.HTML
    alert: gr.HTML
    question: gr.Textbox
    send: gr.Button
    stop: gr.Button
    notice: gr.HTML
    retry: gr.Button
    clear: gr.Button
    source: gr.HTML

    def of_screen(self) -> list[gr.components.Component]:
        """What `_screen_updates` changes, in its order."""
        return [
            self.past, self.live, self.source, self.alert, self.question, self.send, self.stop, self.retry,
        ]  # fmt: skip

    def of_texts(self) -> list[gr.components.Component]:
        """What `_text_updates` changes, in its order."""
        return [self.brand, self.theme, self.question, self.send, self.stop, self.notice, self.retry, self.clear]


def build_app(asker: Asker, examples: tuple[str, ...], asked_at_once: int = 4) -> gr.Blocks:
    """Return the window over `asker`. `examples` are offered in an empty conversation.

    `asked_at_once` questions run at the same time, MAX_WAITING more wait. Style and script belong to mounting: see
    `head` and `theme`.
    """
    handlers = Handlers(asker, examples)
    app: gr.Blocks
    with gr.Blocks(title="问策 Wence", fill_height=True, fill_width=True, analytics_enabled=False) as app:
        parts = _layout()
        _wire_questions(parts, handlers, asked_at_once)
        _wire_the_rest(app, parts, handlers)
    app.queue(api_open=False, max_size=MAX_WAITING)
    return app


def mount_window(app: FastAPI, asker: Asker, examples: tuple[str, ...], asked_at_once: int) -> None:
    """Add the window to a web application, at `/`. No files, no plug-ins, no calls by other programs."""
    gr.mount_gradio_app(
        app, build_app(asker, examples, asked_at_once), path="/", show_error=False, enable_monitoring=False,
        run_history=False, footer_links=[], mcp_server=False, ssr_mode=False, pwa=False, allowed_paths=[],
        max_file_size=1_000_000, theme=theme(), head=head(),
    )  # fmt: skip


def head() -> str:
    """Return what goes into the page's head: style and script. Gradio's own `css` would rewrite our selectors."""
    style = (_HERE / "window.css").read_text(encoding="utf-8")
    script = (_HERE / "window.js").read_text(encoding="utf-8")
    return f"<style>{style}</style><script>{script}</script>"


def theme() -> gr.themes.Base:
    """Return the bare theme, with fonts that are on the machine: nothing is fetched."""
    return gr.themes.Base(font="sans-serif", font_mono="monospace")


def _layout() -> _Parts:
    with gr.Row(elem_id="top"):
        brand = _html(_brand(ZH), "brand")
        language = gr.Radio(
            [("中文", "zh"), ("English", "en")], value="zh", show_label=False, container=False, elem_id="language"
        )
        theme = gr.Button(ZH.theme, elem_id="theme", min_width=0)
    with gr.Row(elem_id="work"):
        with gr.Column(elem_id="chat"):
            with gr.Column(elem_id="talk"):
                past = _html("", "past", _ON_CLICK)
                live = _html("", "live", _ON_CLICK)
            with gr.Column(elem_id="ask"):
                alert = _html("", "alert")
                with gr.Row(elem_id="box"):
                    question = gr.Textbox(
                        placeholder=ZH.placeholder, label=ZH.question, show_label=False, container=False,
                        max_lines=6, autofocus=True, elem_id="question",
                    )  # fmt: skip
                    send = gr.Button(ZH.send, elem_id="send", min_width=0)
                    stop = gr.Button(ZH.stop, elem_id="stop", min_width=0, visible=False)
                with gr.Row(elem_id="under"):
                    notice = _html(escape(ZH.notice), "notice")
                    retry = gr.Button(ZH.retry, elem_id="retry", min_width=0)
                    clear = gr.Button(ZH.clear, elem_id="clear", min_width=0)
        source = _html(empty_html(ZH), "source", _ON_SOURCE)
    return _Parts(
        brand, language, theme, past, live, alert, question, send, stop, notice, retry, clear, source,
    )  # fmt: skip


def _html(value: str, elem_id: str, on_load: str | None = None) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, js_on_load=on_load, apply_default_css=False)


def _wire_questions(parts: _Parts, handlers: Handlers, asked_at_once: int) -> None:
    def begin(question: str, request: gr.Request) -> list[_Update]:
        return _screen_updates(handlers.begin(_session(request), question))

    def begin_example(event: gr.EventData, request: gr.Request) -> list[_Update]:
        return _screen_updates(handlers.begin_example(_session(request), _number(event, "example")))

    def begin_again(request: gr.Request) -> list[_Update]:
        return _screen_updates(handlers.begin_again(_session(request)))

    def run(request: gr.Request) -> Iterator[list[_Update]]:
        yield _screen_updates(Screen())  # gradio empties the outputs of a generator that yields nothing
        for screen in handlers.run(_session(request)):
            yield _screen_updates(screen)

    def refuse(request: gr.Request) -> list[_Update]:
        return _screen_updates(handlers.refuse(_session(request)))

    screen = parts.of_screen()
    begun = [
        _at_once(parts.question.submit, begin, [parts.question], screen),
        _at_once(parts.send.click, begin, [parts.question], screen),
        _at_once(parts.live.example_select, begin_example, [], screen),
        _at_once(parts.retry.click, begin_again, [], screen),
    ]
    for event in begun:
        answered = event.then(
            run, outputs=screen, show_progress="hidden", api_visibility="private", trigger_mode="multiple",
            concurrency_limit=asked_at_once, concurrency_id="ask",
        )  # fmt: skip
        _at_once(answered.failure, refuse, [], screen)


def _wire_the_rest(app: gr.Blocks, parts: _Parts, handlers: Handlers) -> None:
    def show(lang: str, request: gr.Request) -> list[_Update]:
        screen, texts = handlers.show(_session(request), lang)
        return [lang, *_screen_updates(screen), *_text_updates(texts)]

    def open_place(event: gr.EventData, request: gr.Request) -> list[_Update]:
        return _screen_updates(handlers.open(_session(request), _string(event, "place")))

    def stop(request: gr.Request) -> list[_Update]:
        return _screen_updates(handlers.stop(_session(request)))

    def leave(request: gr.Request) -> None:
        handlers.stop(_session(request))

    def clear(request: gr.Request) -> list[_Update]:
        return _screen_updates(handlers.clear(_session(request)))

    screen = parts.of_screen()
    for clicked in (parts.past.select, parts.live.select, parts.source.select):
        _at_once(clicked, open_place, [], screen)
    _at_once(parts.stop.click, stop, [], screen)
    _at_once(parts.clear.click, clear, [], screen)
    everything = [parts.language, *screen, *parts.of_texts()]
    _at_once(app.load, show, [parts.language], everything, _LANGUAGE_OF_BROWSER)
    _at_once(parts.language.input, show, [parts.language], everything, _REMEMBER_LANGUAGE)
    parts.theme.click(None, js="() => window.wenceTheme()", api_visibility="private")
    app.unload(leave)


def _at_once(
    listen: Callable[..., Any],
    handler: Callable[..., Any],
    inputs: list[gr.components.Component],
    outputs: list[gr.components.Component],
    js: str | None = None,
) -> Any:  # noqa: ANN401 - gradio's Dependency, whose follow-up events carry no types
    """Wire a handler that goes past the queue and that no client library can call."""
    return listen(
        handler, inputs=inputs, outputs=outputs, js=js, queue=False, show_progress="hidden", api_visibility="private",
        trigger_mode="multiple",
    )  # fmt: skip


def _screen_updates(screen: Screen) -> list[_Update]:
    parts = (screen.past, screen.live, screen.source, screen.alert, screen.question)
    values = [gr.skip() if part is None else part for part in parts]
    if screen.busy is None:
        return [*values, gr.skip(), gr.skip(), gr.skip()]
    return [
        *values,
        gr.update(visible=not screen.busy),
        gr.update(visible=screen.busy),
        gr.update(interactive=not screen.busy),
    ]


def _text_updates(texts: Texts) -> list[_Update]:
    return [
        _brand(texts),
        gr.update(value=texts.theme),
        gr.update(placeholder=texts.placeholder, label=texts.question),
        gr.update(value=texts.send),
        gr.update(value=texts.stop),
        escape(texts.notice),
        gr.update(value=texts.retry),
        gr.update(value=texts.clear),
    ]


def _brand(texts: Texts) -> str:
    return f"<h1>{escape(texts.name)}</h1><p>{escape(texts.tagline)}</p>"


def _session(request: gr.Request) -> str:
    return str(request.session_hash or "")


def _string(event: gr.EventData, key: str) -> str:
    """What the page sent under `key`, if it is a string: the page is not trusted."""
    sent = event._data.get(key) if isinstance(event._data, dict) else None
    return sent if isinstance(sent, str) else ""


def _number(event: gr.EventData, key: str) -> int:
    """As `_string`, for a whole number from 0; -1 for anything else."""
    sent = _string(event, key)
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 4 else -1
