r"""The upper part of a report as a picture for the README, from a recorded run.

    ./pi05 demo
    ./pi05 run python benchmarks/report_picture.py demo_out/report.html \
        --out docs/images/report.png

Needs playwright and chromium, as the tests of the operator's page do.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1000, 1300


def main() -> None:
    """Opens the page and takes the picture, the video at a moment in the middle."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with sync_playwright() as p:
        chromium = shutil.which("chromium")
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(arguments.report.resolve().as_uri())
        page.evaluate(
            """() => new Promise(done => {
                const video = document.getElementById("video");
                video.controls = false;
                video.addEventListener("seeked", done, {once: true});
                video.currentTime = video.duration * 0.4;
            })"""
        )
        page.wait_for_timeout(500)
        page.screenshot(path=str(arguments.out))


if __name__ == "__main__":
    main()
