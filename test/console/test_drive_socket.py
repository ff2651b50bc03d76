"""Teleoperation over a real websocket, with a robot that records frames."""

import asyncio
import functools

from fakes.console_pages import Page, ServedConsole

from pi05_ros.console.drive import RELEASED


def served(test):
    """Runs an async test against a console."""

    @functools.wraps(test)
    def run():
        with ServedConsole() as console:
            asyncio.run(asyncio.wait_for(test(console), 30))

    del run.__wrapped__  # pytest would take the console for a fixture.
    return run


def held(console):
    return [frame.dead_man for frame in console.robot.driven]


@served
async def test_the_holder_drives_and_gets_beats_that_prove_its_frames(c):
    async with Page.open(c.url) as page, Page.open(c.url) as watcher:
        await page.take()
        assert page.beats == 0
        for _ in range(10):
            await page.drive()
            await asyncio.sleep(0.04)
        assert held(c) == [True] * 10
        assert c.robot.driven[0].axes == (0.5, *[0.0] * 9, -1.0, -1.0)
        await page.until(lambda: page.beats >= 3 and page.control["driving"])
        assert watcher.beats == 0
        refused = await watcher.drive()
        await watcher.until(lambda: refused in watcher.answers)
        assert watcher.answers[refused]["status"] == 409
        await page.drive(held=0)
        await page.until(lambda: not page.control["driving"])
        assert c.robot.driven[10:] == [RELEASED]


@served
async def test_a_stop_a_release_and_a_takeover_end_driving(c):
    async with Page.open(c.url) as page, Page.open(c.url) as other:
        await page.take()
        await page.drive()
        await page.ask("stop")
        assert held(c) == [True, False]
        await page.drive(held=0)
        seen = page.seen
        await page.until(lambda: page.seen > seen + 1)  # It shows the stop.
        await page.drive()
        await page.ask("release")
        assert held(c) == [True, False] * 2
        await page.until(lambda: not page.control["mine"])
        await page.take()
        await page.drive(held=0)
        await page.drive()
        await page.until(lambda: len(held(c)) == 5)
        await other.until(lambda: other.control["holder"])
        assert (await other.take(over=other.control["lease"]))["status"] == 200
        assert held(c) == [True, False] * 3
        refused = await page.drive()
        await page.until(lambda: refused in page.answers)
        assert page.answers[refused]["status"] == 409
        assert held(c) == [True, False] * 3


@served
async def test_a_page_that_is_gone_says_nothing_and_nothing_is_repeated(c):
    async with Page.open(c.url) as page:
        await page.take()
        await page.drive()
        await page.until(lambda: held(c))
    await asyncio.sleep(0.4)
    assert held(c) == [True]


@served
async def test_a_tab_that_shows_nothing_new_is_refused(c):
    async with Page.open(c.url) as page:
        await page.take()
        await page.drive()
        page.awake = False
        for _ in range(12):
            last = await page.drive()
            await asyncio.sleep(0.04)
        await page.until(lambda: last in page.answers)
        assert page.answers[last]["status"] == 409
        count = len(held(c))
        assert 1 < count < 12
        page.awake = True
        seen = page.seen
        await page.until(lambda: page.seen > seen)
        again = await page.drive()  # Still pressed: the switch was not let go.
        await page.until(lambda: again in page.answers)
        assert "let go" in page.answers[again]["message"]
        assert len(held(c)) == count


@served
async def test_what_is_no_frame_is_refused_and_moves_nothing(c):
    async with Page.open(c.url) as page:
        await page.take()
        for wrong in ({"axes": [2.0] * 12}, {"axes": [0] * 11}, {"buttons": [1]}):
            number = await page.drive(**wrong)
            await page.until(lambda number=number: number in page.answers)
            assert page.answers.pop(number)["status"] == 400
        await page.socket.send_str(
            '{"type":"drive","axes":[NaN,0,0,0,0,0,0,0,0,0,-1,-1],"buttons":[1,0]}'
        )
        await page.until(lambda: 0 in page.answers)
        assert "base_vx" in page.answers[0]["message"]
        assert c.robot.driven == []
