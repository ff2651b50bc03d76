"""The server on a real socket, with a robot that records commands."""

import asyncio
import contextlib
import functools
import logging
import re
from pathlib import Path

import aiohttp
import pytest
from fakes.console_pages import Page, ServedConsole

from pi05_ros.console import server as server_module
from pi05_ros.console.gate import COOKIE, Gate
from pi05_ros.console.hub import HubSettings
from pi05_ros.console.limits import Rate
from pi05_ros.console.page_files import page_files
from pi05_ros.console.server import ConsoleError, Server

TOKEN = "a-long-enough-token"


def served(**console):
    """Runs an async test against a console of these settings."""

    def wrap(test):
        @functools.wraps(test)
        def run():
            with ServedConsole(**console) as c:
                asyncio.run(asyncio.wait_for(test(c), 30))

        del run.__wrapped__  # pytest would take `c` for a fixture.
        return run

    return wrap


async def request(console, method, path, **arguments):
    async with aiohttp.ClientSession() as session:
        url = console.url + path
        async with session.request(method, url, allow_redirects=False, **arguments) as answer:
            return answer.status, await answer.text(), answer.headers


# Pages and what they may load.


@served()
async def test_the_page_and_all_that_it_loads_are_served(c):
    status, text, headers = await request(c, "GET", "/")
    assert status == 200 and "STOP" in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    wanted = set(re.findall(r'(?:src|href)="(/[^"]+)"', text))
    for path in page_files():
        if path.endswith(".js"):
            _, script, headers = await request(c, "GET", path)
            assert headers["Content-Type"].startswith("text/javascript")
            wanted |= {"/" + name for name in re.findall(r'from "\./([^"]+)"', script)}
    assert wanted <= set(page_files())
    assert {"/app.js", "/style.css", "/plot.js"} <= wanted


def test_the_page_needs_no_other_site_and_makes_no_markup_of_text():
    for path in (Path(server_module.__file__).parent / "page").iterdir():
        text = path.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text
        )
        assert not re.search(r"<script>|<style>| on\w+=\"| style=\"", text), path


@served()
async def test_no_path_leads_out_of_the_page(c):
    for path in (
        "/../setup.py",
        "/..%2f..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/page/app.js",
        "/app.js/",
        "/server.py",
    ):
        # As raw as a browser would never send it.
        port = c.server.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
        line = await reader.readline()
        assert b" 404 " in line, (path, line)
        writer.close()


# Who is let in.


@pytest.mark.parametrize("path", ["/", "/ws", "/api/stop", "/login"])
@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
def test_foreign_names_and_sites_are_refused(path, headers):
    @served()
    async def test(c):
        for method in ("GET", "POST"):
            status, _, _ = await request(c, method, path, headers=headers)
            assert status == 403
        assert c.robot.stops == 0

    test()


@served(token=TOKEN)
async def test_without_the_token_nothing_is_shown_and_nothing_happens(c):
    for headers in ({}, {"Authorization": "Bearer wrong-wrong-wrong"}, {"Cookie": f"{COOKIE}=x"}):
        for method, path in (("GET", "/app.js"), ("GET", "/ws"), ("POST", "/api/stop")):
            status, text, _ = await request(c, method, path, headers=headers)
            assert (status, "function" in text) == (401, False)
    status, text, _ = await request(c, "GET", "/")
    assert status == 401 and "token" in text and "STOP" not in text
    assert (await request(c, "GET", "/style.css"))[0] == 200
    assert c.robot.stops == 0 and c.robot.watched == []


@served(token=TOKEN)
async def test_the_token_is_entered_once(c):
    status, _, _ = await request(c, "POST", "/login", data={"token": "wrong-wrong-wrong"})
    assert status == 401
    status, _, headers = await request(c, "POST", "/login", data={"token": TOKEN})
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly" in headers["Set-Cookie"] and "SameSite=Strict" in headers["Set-Cookie"]
    cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
    assert (await request(c, "GET", "/", headers=cookie))[0] == 200
    assert (await request(c, "POST", "/api/stop", headers=cookie))[0] == 200
    async with Page.open(c.url, headers=cookie) as page:
        assert (await page.take())["status"] == 200


@served(token=TOKEN)
async def test_tokens_cannot_be_tried_at_will(c):
    wrong = {"Authorization": "Bearer wrong-wrong-wrong"}
    statuses = [(await request(c, "GET", "/app.js", headers=wrong))[0] for _ in range(15)]
    assert statuses[:10] == [401] * 10 and statuses[-1] == 429
    status, _, _ = await request(c, "POST", "/login", data={"token": TOKEN})
    assert status == 429


@served(token=TOKEN)
async def test_an_old_cookie_locks_nobody_out(c):
    old = {"Cookie": f"{COOKIE}={'0' * 64}"}
    assert [(await request(c, "GET", "/ws", headers=old))[0] for _ in range(15)] == [401] * 15
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await request(c, "GET", "/app.js", headers=right))[0] == 200
    assert (await request(c, "POST", "/login", data={"token": TOKEN}))[0] == 303
    statuses = [(await request(c, "GET", "/ws", headers=old))[0] for _ in range(25)]
    assert statuses[-1] == 429  # They cannot be tried at will either.


# How much, and how often.


@served()
async def test_large_bodies_are_refused(c):
    for make in (bytes, _chunks):
        for path in ("/api/stop", "/login"):
            try:
                status, _, _ = await request(c, "POST", path, data=make(10_000_000))
            except aiohttp.ClientConnectionError:
                continue  # The connection was closed while we were still sending.
            assert status == 413
    assert c.robot.stops == 0


async def raw(console, text, wait_s=5.0):
    """The first of what is answered to these bytes; empty: the connection was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", console.server.port)
    writer.write(text.encode())
    try:
        return (await asyncio.wait_for(reader.readline(), wait_s)).decode()
    finally:
        writer.close()


@served(token=TOKEN)
async def test_requests_that_are_none_are_refused_and_not_logged(c):
    with _caught_log() as log:
        for head, body, status in (
            ("Content-Type: multipart/form-data\r\n", "x", 401),
            ("Content-Type: multipart/form-data; boundary=a\r\n", "--a\r\nx", 401),
            ("Content-Type: application/x-www-form-urlencoded; charset=no\r\n", "token=x", 401),
            ("Content-Type: application/x-www-form-urlencoded\r\n", "token=%ff&token", 401),
            ("Content-Encoding: gzip\r\n", "xxxx", 400),
            ("Origin: http://[::1\r\n", "", 403),
            ("Host: localhost\r\n", "", 400),
            (f"X: {'x' * 10_000}\r\n", "", 400),
        ):
            length = f"Content-Length: {len(body)}\r\n"
            line = await raw(
                c, f"POST /login HTTP/1.1\r\nHost: localhost\r\n{head}{length}\r\n{body}"
            )
            assert f" {status} " in line, (head, body, line)
        assert " 400 " in await raw(c, "nonsense\r\n\r\n")
    assert log == []


@contextlib.contextmanager
def _caught_log():
    """Log lines of the server and its libraries, from warnings on."""
    records = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append
    logging.getLogger().addHandler(handler)
    try:
        yield records
    finally:
        logging.getLogger().removeHandler(handler)


@served(settings=HubSettings(body_s=0.2))
async def test_nobody_waits_long_for_a_body(c):
    head = "HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"
    assert " 408 " in await raw(c, f"POST /login {head}")
    # Nothing is wanted in the body of a stop.
    assert " 200 " in await raw(c, f"POST /api/stop {head}")
    assert c.robot.stops == 1
    head = "HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n"
    assert " 408 " in await raw(c, f"POST /api/stop {head}")


@served(settings=HubSettings(address_connections=20))
async def test_idle_connections_give_way(c):
    async with Page.open(c.url) as page:
        await page.take()
        half = b"POST /api/stop HTTP/1.1\r\nHost: local"
        idle = []
        for _ in range(100):
            idle.append(await asyncio.open_connection("127.0.0.1", c.server.port))
            idle[-1][1].write(half)
        assert (await request(c, "POST", "/api/stop"))[0] == 200
        await page.until(lambda: page.control["stops"] == 1)
        assert page.control["mine"]  # The page's own was not idle.
        ended = [reader.at_eof() or reader.exception() is not None for reader, _ in idle]
        assert ended.count(False) <= 20 and ended[:70] == [True] * 70
        for _, writer in idle:
            writer.close()


@served(settings=HubSettings(connections=5, address_connections=3))
async def test_connections_that_are_busy_do_not_give_way(c):
    c.robot.hold = asyncio.Event()
    posts = [asyncio.create_task(request(c, "POST", "/api/stop")) for _ in range(3)]
    while c.hub.stops < 3:
        await asyncio.sleep(0.01)
    with pytest.raises(aiohttp.ClientConnectionError):
        await request(c, "GET", "/")
    c.server.loop.call_soon_threadsafe(c.robot.hold.set)
    assert [(await post)[0] for post in posts] == [200] * 3
    assert (await request(c, "GET", "/"))[0] == 200


async def _chunks(size):
    for _ in range(size // 65536):
        yield bytes(65536)


@served(settings=HubSettings(http_rate=Rate(1, 5)))
async def test_too_many_requests_are_refused_but_never_a_stop(c):
    statuses = [(await request(c, "GET", "/"))[0] for _ in range(8)]
    assert statuses[:5] == [200] * 5 and set(statuses[5:]) == {429}
    assert [(await request(c, "POST", "/api/stop"))[0] for _ in range(20)] == [200] * 20


@served(settings=HubSettings(page_rate=Rate(5, 10)))
async def test_a_page_that_floods_is_closed(c):
    async with aiohttp.ClientSession() as session, session.ws_connect(c.url + "/ws") as socket:
        for _ in range(40):
            await socket.send_json({"type": "seen", "seen": 1})
        async for _ in socket:
            pass
        assert socket.close_code == 1008


@served()
async def test_a_large_message_closes_the_socket(c):
    async with aiohttp.ClientSession() as session, session.ws_connect(c.url + "/ws") as socket:
        await socket.send_str("x" * 5000)
        async for _ in socket:
            pass
        assert socket.close_code == 1009


@served(settings=HubSettings(command_rate=Rate(1, 3)))
async def test_too_many_commands_are_refused(c):
    async with Page.open(c.url) as page:
        await page.take()
        statuses = [(await page.command("reset"))["status"] for _ in range(5)]
        assert statuses == [200, 200, 429, 429, 429]
        assert (await page.ask("stop"))["status"] == 200


@served(settings=HubSettings(sessions=2))
async def test_only_so_many_pages_are_let_in(c):
    async with Page.open(c.url), Page.open(c.url):
        assert (await request(c, "GET", "/ws"))[0] == 429
    async with Page.open(c.url):
        pass


# What pages see.


@served()
async def test_a_page_sees_sections_and_pictures_and_opens_the_robots_inputs(c):
    c.page_state.put("subtask", {"text": "<b>pick</b>"})
    async with Page.open(c.url) as page:
        assert page.sections["subtask"] == {"text": "<b>pick</b>"}
        assert page.control == {
            "session": 1, "mine": False, "holder": "", "lease": 0, "watchers": 1,
            "required": False, "stops": 0, "driving": False,
        }  # fmt: skip
        c.pictures.put("front", 1.0, b"jpeg")
        await page.until(lambda: page.pictures)
        assert page.pictures[0][16:] == b"jpeg"
        assert c.robot.watched == [True]
        async with Page.open(c.url) as second:
            assert second.sections["subtask"] == {"text": "<b>pick</b>"}
        assert c.robot.watched == [True]
    await asyncio.sleep(0.1)
    assert c.robot.watched == [True, False]


@served(settings=HubSettings(behind_s=0.3))
async def test_a_page_that_is_behind_gets_no_pictures(c):
    async with Page.open(c.url) as page:
        page.awake = False
        await asyncio.sleep(0.6)
        c.pictures.put("front", 1.0, b"jpeg")
        await asyncio.sleep(0.3)
        assert page.pictures == []
        page.awake = True
        await page.until(lambda: page.pictures)


@served(settings=HubSettings(dead_s=0.4))
async def test_a_page_that_shows_nothing_is_closed(c):
    async with Page.open(c.url) as page:
        page.awake = False
        await page.until(lambda: page.socket.closed)
        assert page.socket.close_code == 1001


# Control.


@served()
async def test_one_holds_control_and_commands(c):
    async with Page.open(c.url) as one, Page.open(c.url) as two:
        assert (await one.command("arm"))["status"] == 409
        assert (await one.take())["message"] == "you hold control"
        assert (await one.command("instruct", text="pick up the plate"))["status"] == 200
        assert (await two.command("disarm"))["status"] == 409
        assert (await two.take())["status"] == 409
        await two.until(lambda: two.control["holder"])
        assert (await two.take(over=two.control["lease"]))["status"] == 200
        stale = await one.command("arm")
        assert (stale["status"], stale["message"]) == (
            409,
            "127.0.0.1 holds control, your page only watches",
        )
        assert (await two.command("reset"))["status"] == 200
        assert c.robot.done == [("instruct", {"text": "pick up the plate"}), ("reset", {})]


@served()
async def test_a_holder_who_leaves_holds_no_more(c):
    async with Page.open(c.url) as two:
        async with Page.open(c.url) as one:
            await one.take()
        await two.until(lambda: two.control["watchers"] == 1)
        assert c.control.holder is None
        assert (await two.take())["status"] == 200
        assert (await two.ask("release"))["status"] == 200
        assert c.control.holder is None


@served()
async def test_names_are_words_and_may_come_later(c):
    async with Page.open(c.url) as page:
        await page.socket.send_json({"type": "hello", "name": "\u202e\u200b"})
        await page.take()
        assert page.control["holder"] == "127.0.0.1"
        await page.socket.send_json({"type": "hello", "name": "\u202e ada"})
        await page.until(lambda: page.control["holder"] == "ada")
        assert page.control["mine"]


@served()
async def test_a_command_that_fails_here_is_answered(c):
    async def fail(name, arguments):
        raise RuntimeError("no executor")

    c.robot.do = fail
    async with Page.open(c.url) as page:
        await page.take()
        answer = await page.command("arm")
        assert answer["status"] == 504
        assert answer["message"] == "arm failed in the console: RuntimeError"


@served()
async def test_anybody_stops_and_what_was_seen_before_is_no_ground_to_go_on(c):
    async with Page.open(c.url) as holder, Page.open(c.url) as watcher:
        await holder.take()
        await holder.socket.send_json({"type": "hello", "name": "ada"})
        holder.awake = False
        seen = holder.seen
        assert (await watcher.ask("stop"))["status"] == 200
        assert c.robot.stops == 1
        answer = await holder.command("resume")
        assert (answer["status"], c.robot.done) == (409, [])
        assert "stop was pressed" in answer["message"]
        holder.awake = True
        await holder.until(lambda: holder.seen > seen)
        assert (await holder.command("resume"))["status"] == 200


@served()
async def test_a_tab_that_slept_commands_nothing(c):
    async with Page.open(c.url) as page:
        await page.take()
        page.awake = False
        await asyncio.sleep(2.1)
        answer = await page.command("arm")
        assert (answer["status"], c.robot.done) == (409, [])
        assert "s behind" in answer["message"]


@served()
async def test_stop_goes_by_plain_http_and_many_share_one(c):
    c.robot.hold = asyncio.Event()
    posts = [asyncio.create_task(request(c, "POST", "/api/stop")) for _ in range(5)]
    await asyncio.sleep(0.2)
    c.server.loop.call_soon_threadsafe(c.robot.hold.set)
    assert [(await post)[0] for post in posts] == [200] * 5
    assert c.robot.stops == 1
    assert (await request(c, "POST", "/api/stop"))[0] == 200
    assert c.robot.stops == 2
    assert (await request(c, "GET", "/api/stop"))[0] == 404
    assert c.robot.stops == 2


@served()
async def test_a_stop_is_not_taken_back_by_hanging_up(c):
    c.robot.hold = asyncio.Event()
    async with Page.open(c.url) as page:
        await page.socket.send_json({"type": "stop", "id": 1})
        await page.until(lambda: c.robot.stops)
    post = asyncio.create_task(request(c, "POST", "/api/stop"))
    await asyncio.sleep(0.1)
    c.server.loop.call_soon_threadsafe(c.robot.hold.set)
    assert (await post)[0] == 200
    assert c.robot.stops == 1


@served(required=True)
async def test_with_a_dead_man_switch_the_holder_is_asked_often(c):
    async with Page.open(c.url) as page:
        await asyncio.sleep(0.3)
        assert page.beats == 0
        assert c.control.problem() == "no operator holds control"
        await page.take()
        await page.until(lambda: page.beats > 5)
        await page.until(lambda: c.control.problem() == "")
        page.awake = False
        await page.until(lambda: c.control.problem() == "no response from the operator's page")
    await asyncio.sleep(0.1)
    assert c.control.problem() == "no operator holds control"


def test_a_taken_port_is_one_sentence():
    with (
        ServedConsole() as console,
        pytest.raises(ConsoleError, match=f"cannot listen on 127.0.0.1:{console.server.port}"),
    ):
        Server(console.hub, Gate("127.0.0.1"), console.server.port)
