"""The page's server on a real socket."""

import asyncio
import functools
import json
import re

import aiohttp
import pytest

from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.labelling.episode_labels import EpisodeLabels
from pi05_ros.labelling.server import LabelServer, LabelServerError

WAVE = {"start": 0, "end": 0.5, "text": "wave", "task": "", "source": "human"}


class Client:
    """A browser that has opened the printed address, or one that has not."""

    def __init__(self, server):
        self.server, self.bag = server, server._labels.folder
        self.base = f"http://127.0.0.1:{server.port}"
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def ask(self, path, method="GET", **arguments):
        async with self.session.request(method, self.base + path, **arguments) as answer:
            body = await answer.read()
            kind = answer.headers["Content-Type"]
            return answer.status, json.loads(body) if "json" in kind else body, answer.headers

    async def save(self, version, spans=(WAVE,), done=(), **arguments):
        content = {"version": version, "spans": list(spans), "done": list(done)}
        return await self.ask("/api/labels", "POST", json=content, **arguments)


def served(test):
    @functools.wraps(test)
    def run(bag):
        async def go():
            client = Client(server)
            try:
                if "stranger" not in test.__name__:
                    async with client.session.get(server.url) as answer:
                        assert answer.status == 200 and "token" not in str(answer.url)
                await test(client)
            finally:
                await client.session.close()

        server = LabelServer(EpisodeLabels(bag, "mia"))
        try:
            asyncio.run(asyncio.wait_for(go(), 30))
        finally:
            server.close()

    del run.__wrapped__  # pytest would take `client` for a fixture.
    return run


@served
async def test_the_page_and_all_that_it_loads_are_served(c):
    status, text, headers = await c.ask("/")
    assert status == 200 and "unsafe" not in headers["Content-Security-Policy"]
    wanted = set(re.findall(rb'(?:src|href)="(/[^"]+)"', text))
    scripts = [path for path in wanted if path.endswith(b".js")]
    seen = set()
    while scripts:
        path = scripts.pop()
        seen.add(path)
        status, script, headers = await c.ask(path.decode())
        assert status == 200 and headers["Content-Type"].startswith("text/javascript")
        for word in (b"innerHTML", b"insertAdjacentHTML", b"document.write", b"eval(", b"http:"):
            assert word not in script
        scripts += set(re.findall(rb'from "(/[^"]+)"', script)) - seen
    for path in wanted - seen:
        assert (await c.ask(path.decode()))[0] == 200
    assert b"/edits.js" in seen


@served
async def test_the_episode_is_described(c):
    status, episode, _ = await c.ask("/api/episode")
    assert status == 200
    assert episode["task"] == "put the dishes in the sink"
    assert (episode["seconds"], episode["step"]) == (2.0, 0.02)
    assert [camera["name"] for camera in episode["cameras"]] == [
        "front",
        "back",
        "left_wrist",
        "right_wrist",
    ]
    assert episode["cameras"][0]["times"] == [round(0.1 * k, 4) for k in range(20)]
    assert episode["drivers"] == [{"start": 0, "end": 2, "driver": "policy"}]
    assert [(s["start"], s["end"], s["text"]) for s in episode["recorded"]] == [
        (0, 1, "pick up the cup"),
        (1, 2, "pick up the fork"),
    ]
    _, labels, _ = await c.ask("/api/labels")
    assert (labels["version"], labels["done"]) == ("", [])
    assert [s["source"] for s in labels["spans"]] == ["model", "human"]


@served
async def test_pictures_are_jpegs(c):
    status, jpeg, headers = await c.ask("/api/picture/front/19")
    assert (status, headers["Content-Type"], jpeg[:3]) == (200, "image/jpeg", b"\xff\xd8\xff")
    assert (await c.ask("/api/picture/front/20"))[0] == 404
    assert (await c.ask("/api/picture/roof/0"))[0] == 404
    assert (await c.ask("/api/picture/front/x"))[0] == 404


@served
async def test_labels_are_saved_beside_the_bag(c):
    status, labels, _ = await c.save("", done=[1.5])
    assert status == 200
    assert labels["version"] == label_file.digest_of(c.bag)
    assert labels["spans"] == [WAVE] and labels["vocabulary"][-1] == "wave"
    episode = BagEpisode(c.bag)
    assert [(x.start_row, x.stop_row, x.text) for x in episode.labels] == [(0, 25, "wave")]
    assert (episode.label_file.author, episode.label_file.done_ns) == ("mia", (1001500000000,))
    assert (await c.save(labels["version"], []))[0] == 200
    assert BagEpisode(c.bag).labels == ()


@served
async def test_the_second_of_two_pages_is_refused(c):
    _, first, _ = await c.save("")
    status, answer, _ = await c.save("", [{**WAVE, "text": "nod"}])
    assert status == 409 and "changed by someone else" in answer["message"]
    _, now, _ = await c.ask("/api/labels")
    assert (now["version"], now["spans"]) == (first["version"], [WAVE])
    assert (await c.save(now["version"], [{**WAVE, "text": "nod"}]))[0] == 200
    label_file.clear(c.bag)  # By another program.
    assert (await c.save(now["version"]))[0] == 409


@served
async def test_what_is_not_valid_changes_nothing(c):
    for spans, done, problem in (
        ([{**WAVE, "text": "a;b"}], (), "cannot be a subtask"),
        ([{**WAVE, "end": 9}], (), "not within the episode"),
        ([{**WAVE, "end": 0}], (), "start before its end"),
        ([{**WAVE, "start": "0"}], (), "are seconds"),
        ([{**WAVE, "start": float("nan")}], (), "are seconds"),
        ([{**WAVE, "start": True}], (), "are seconds"),
        ([{**WAVE, "text": 3}], (), "are texts"),
        ([{**WAVE, "more": 3}], (), "wanted an object"),
        ([WAVE, WAVE], (), "must not overlap"),
        ([3], (), "wanted an object"),
        ([WAVE], [9], "not within the episode"),
        ([WAVE], "x", "done: wanted seconds"),
    ):
        status, answer, _ = await c.save("", spans, done)
        assert status == 400 and problem in answer["message"], answer
    for data in (b"", b"[]", b"{", b"\xff", b"[" * 10_000, b"{}"):
        assert (await c.ask("/api/labels", "POST", data=data))[0] == 400
    assert (await c.ask("/api/labels", "POST", data=b" " * (5 << 20)))[0] == 413
    assert label_file.digest_of(c.bag) == ""


@served
async def test_other_sites_and_names_are_refused(c):
    assert (await c.save("", headers={"Origin": "http://evil.example"}))[0] == 403
    assert (await c.ask("/", headers={"Host": "evil.example"}))[0] == 403
    assert (await c.save("", headers={"Origin": c.base}))[0] == 200


@served
async def test_no_path_leads_out_of_the_page(c):
    for path in (
        "/server.py",
        "/..%2fserver.py",
        "/%2e%2e/server.py",
        "/page/index.html",
        "/app.js",
    ):
        assert (await c.ask(path))[0] == 404


@served
async def test_a_stranger_sees_nothing(c):
    for path in ("/", "/label.js", "/api/episode", "/api/picture/front/0", "/?token=wrong"):
        status, answer, _ = await c.ask(path)
        assert status == 401 and "the address that" in answer["message"]
    assert (await c.save(""))[0] == 401
    assert label_file.digest_of(c.bag) == ""
    bearer = {"Authorization": f"Bearer {c.server.url.partition('=')[2]}"}
    assert (await c.ask("/api/episode", headers=bearer))[0] == 200


def test_a_taken_port_is_one_sentence(bag):
    labels = EpisodeLabels(bag)
    server = LabelServer(labels)
    try:
        with pytest.raises(LabelServerError, match=f"{server.port} .*choose another --port"):
            LabelServer(labels, server.port)
    finally:
        server.close()
