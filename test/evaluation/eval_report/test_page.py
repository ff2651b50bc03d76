"""The report of an evaluation: its figures, what it does not measure, and how it is read."""

import dataclasses
import os
import shutil

import pytest
from fakes.contrast import faint_texts
from fakes.trials import engine, result, settings

from pi05_ros.evaluation.eval_report.limits import not_measured
from pi05_ros.evaluation.eval_report.page import render
from pi05_ros.evaluation.eval_report.writing import write_results
from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.run import run_trials
from pi05_ros.evaluation.trials.settings import ONE_PROCESS, WHOLE, Shard, TrialJob, Weights
from pi05_ros.evaluation.trials.summary import summarize

CHROMIUM = os.environ.get("PI05_CHROMIUM") or shutil.which("chromium")
EVIL = "\"'></style><script>document.title = 'owned'</script>{{ 7 * 7 }}" + "x" * 150
TWO = (Weights("runs/a/best", "1" * 64), Weights(EVIL))


def summary_of(of, shard=WHOLE):
    jobs = [TrialJob(of, ONE_PROCESS, trial, "") for trial in of.trials()]
    return summarize(of, list(engine(jobs)), shard)


@pytest.fixture(scope="module")
def text():
    of = settings((1, 2, 3), brain="model", weights=TWO, modes=("full", "implicit"))
    results = [
        dataclasses.replace(result(of, trial, 1.0, float(trial.home == 2)), fault=EVIL, ended=EVIL)
        for trial in of.trials()
    ]
    return render(summarize(of, results))


def test_figures_are_those_of_the_summary(text):
    # Shares 1/2, 1, 1/2 of three homes: 66.7 %, and the interval ends at all-half and all-whole.
    assert "66.7" in text and "50.0 – 100.0" in text
    assert "full, checkpoint 1" in text and "implicit, checkpoint 2" in text
    assert "all 6 are in summary.json" in text
    assert "pick up …" in text and "the joint is … rad away" in text
    assert "no result: no network" in text


def test_what_a_result_says_stays_text(text):
    assert "<script" not in text and "&lt;script&gt;" in text
    assert "default-src 'none'" in text and "{{ 7 * 7 }}" in text


def test_it_says_what_was_not_measured():
    said = " ".join(not_measured(summary_of(settings((10_000,)))))
    assert "one home only: the intervals say nothing" in said
    assert "The expert knows the state of the home" in said
    assert "seed below 20000" in said and "0.1 s after it" in said
    homes = range(20_200, 20_220)
    many = settings(homes, brain="random", weights=(Weights("w"),), modes=("no_hl",), ros=True)
    said = " ".join(not_measured(summary_of(many, Shard(2, 8))))
    assert "seed below" not in said and "are rough" not in said
    assert "shard 2/8" in said and "through the graph" in said
    assert "no_hl for one without" in said and "what chance reaches" in said


def test_videos_are_in_the_page_and_large_ones_beside_it(tmp_path, monkeypatch):
    summary = summary_of(settings((1, 2)))
    names = [episode["name"] for episode in summary["episodes"]]
    files = {}
    for name in names:
        files[name] = tmp_path / f"{name}.mp4"
        files[name].write_bytes(b"0123456789")
    chosen = [(names[1], "best"), (names[0], "worst")]
    page = render(summary, chosen, files)
    assert page.count("<video") == 2 and "MDEyMzQ1Njc4OQ==" in page
    monkeypatch.setattr("pi05_ros.evaluation.eval_report.page._MOST_BYTES", 15)
    page = render(summary, chosen, files)
    assert page.count("<video") == 1 and f'href="videos/{names[0]}.mp4"' in page


def test_files_of_an_evaluation_without_videos(tmp_path):
    of, folder = settings((10_000, 10_001)), EvaluationFolder(tmp_path / "out")
    results = run_trials(folder, of, engine=engine)
    summary = write_results(folder, of, results, ONE_PROCESS, with_videos=False)
    assert summary["results"][0]["points_share"] == 0.75
    first = (folder.path / "summary.json").read_bytes()
    assert (folder.path / "report.html").read_text().startswith("<!doctype html>")
    assert not folder.videos.exists()
    write_results(folder, of, results, ONE_PROCESS, with_videos=False)
    assert (folder.path / "summary.json").read_bytes() == first


@pytest.fixture(scope="module")
def page(text, tmp_path_factory):
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (requirements/tools.txt)"
    )
    if not CHROMIUM:
        pytest.skip("there is no chromium on PATH (apt install chromium)")
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(text)
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.problems = []
        opened.on("console", lambda message: opened.problems.append(message.text))
        opened.goto(file.as_uri())
        yield opened


@pytest.mark.parametrize("width", [1400, 390])
def test_it_is_as_wide_as_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title().startswith("Evaluation: dishes") and page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(page, scheme):
    page.emulate_media(color_scheme=scheme)
    assert faint_texts(page) == []
