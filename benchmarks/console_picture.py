"""Pictures of the operator's page for the README, from a mock home at work.

    ./pi05 run python benchmarks/console_picture.py --out docs/images/console.png

Needs playwright and chromium, as the tests of the page do. With --phone, a phone's screen.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test"))
from fakes.browsed_home import BrowsedHome

SCREENS = {"desktop": (1440, 900), "phone": (390, 844)}
LIMIT_MS = 60_000


def main() -> None:
    """Runs the home, works the page as an operator would, and takes the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--phone", action="store_true")
    parser.add_argument("--light", action="store_true", help="the light theme")
    arguments = parser.parse_args()
    width, height = SCREENS["phone" if arguments.phone else "desktop"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        home = BrowsedHome(Path(folder), "--teleop")
        try:
            home.wait(lambda: "the operator's page" in home.log.read_text(), "the console")
            browser = p.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="light" if arguments.light else "dark",
            )
            page.set_default_timeout(LIMIT_MS)
            page.goto(home.url)
            work(page, home)
            page.mouse.wheel(0, -5000)
            page.wait_for_timeout(300)
            page.screenshot(path=str(arguments.out))
        finally:
            home.close()


def work(page, home) -> None:  # type: ignore[no-untyped-def]
    """A task, a spoken subtask and an episode."""
    page.fill("#operator", "Ada")
    page.press("#operator", "Tab")
    expect(page.locator("#mode")).to_have_text(re.compile("RUNNING|HOLDING"), timeout=LIMIT_MS)
    page.click("#take")
    expect(page.locator("#holder")).to_contain_text("you hold control")
    page.fill("#task-text", "put the dishes in the sink")
    page.press("#task-text", "Enter")
    page.click("#episode-start")
    expect(page.locator("#source")).to_have_text("external", timeout=LIMIT_MS)
    page.wait_for_timeout(9_000)
    said = page.text_content("#subtask")
    page.fill("#say-text", "pick up the cup" if "cup" not in said else "pick up the plate")
    page.press("#say-text", "Enter")
    expect(page.locator("#source")).to_have_text("human", timeout=LIMIT_MS)
    page.wait_for_timeout(6_000)  # The messages are gone by then.
    page.keyboard.press("m")
    expect(page.locator("#source")).to_have_text("external", timeout=LIMIT_MS)
    home.wait(lambda: home.state.mode == home.state.MODE_RUNNING, "the robot to move")
    page.wait_for_timeout(6_500)
    expect(page.locator(".camera:not(.stale)")).to_have_count(4, timeout=LIMIT_MS)


if __name__ == "__main__":
    main()
