"""The web application around the window: who may reach it, what is closed, what every answer carries."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from chatbot.serve import HOST, address, create_app, listen
from corpus.errors import ConfigError
from tests.chatbot.fake_asker import FakeAsker


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(FakeAsker(), ("问题？",)), base_url=f"http://{HOST}") as opened:
        yield opened


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com"])
def test_another_host_is_refused_in_one_line(host: str) -> None:
    with pytest.raises(ConfigError, match="no accounts yet") as caught:
        listen(host)
    assert "\n" not in str(caught.value)


def test_a_port_in_use_is_one_line_with_its_number() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 cannot be used"):
            listen(port=port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(ConfigError, match="between 0 and 65535"):
        listen(port=port)


def test_a_listening_port_is_taken_at_once() -> None:
    with listen(port=0) as first, pytest.raises(ConfigError):
        listen(port=first.getsockname()[1])


def test_the_address_is_what_a_browser_takes() -> None:
    with listen("localhost", 0) as listening:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address(listening))


def test_the_page_is_served_with_every_security_header(client: TestClient) -> None:
    headers = client.get("/").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "img-src 'self' data: blob:;" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring",
        "/gradio_api/upload",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=http://example.com/",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/gradio_api/runs",
        "/gradio_api/call/run",
        "/docs",
        "/openapi.json",
    ],
)
def test_what_the_window_does_not_need_is_closed(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_page_of_another_name_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "attacker.example"}).status_code == 400


def test_a_large_body_is_refused(client: TestClient) -> None:
    assert client.post("/gradio_api/queue/join", content=b"x" * 1_000_001).status_code == 413


def test_a_body_of_unknown_length_is_refused(client: TestClient) -> None:
    assert client.post("/gradio_api/queue/join", content=iter([b"x"])).status_code == 411


def test_no_handler_is_offered_to_client_libraries(client: TestClient) -> None:
    dependencies = client.get("/config").json()["dependencies"]
    assert dependencies
    assert {one["api_visibility"] for one in dependencies} == {"private"}


def test_no_component_of_gradio_takes_what_a_page_says_of_the_chat(client: TestClient) -> None:
    config = client.get("/config").json()
    kinds = {one["id"]: one["type"] for one in config["components"]}
    taken = {kinds[number] for one in config["dependencies"] for number in one["inputs"]}
    assert taken == {"textbox", "radio"}


def test_telemetry_is_off(client: TestClient) -> None:
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert client.get("/config").json()["analytics_enabled"] is False


def test_rendering_needs_no_gradio() -> None:
    modules = "chatbot.render, chatbot.render_source, chatbot.ui.handlers, chatbot.serve"
    code = f"import sys, {modules}; print('gradio' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
