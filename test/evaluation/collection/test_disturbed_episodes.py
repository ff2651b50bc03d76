"""Episodes with wrong chunks, other tasks, restarts and checkpoints: what is recorded of them."""

import dataclasses

import numpy as np
import pytest
from fakes.model_brain import saved
from matplotlib.text import Text

from pi05_ros.brain.interface import ChunkPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.checkpoints.layouts.contents import Training
from pi05_ros.chunking.scheduler import ChunkRequest, SubtaskRef
from pi05_ros.data.episodes.episode import (
    CONTROL_DISTURBANCE,
    CONTROL_POLICY,
    MODE_RUNNING,
    SPOKEN,
)
from pi05_ros.data.filters.episode_filter import NO_FILTER
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.collection.collect import UNDER_WAY, collect
from pi05_ros.evaluation.collection.low_level import LowLevel
from pi05_ros.evaluation.collection.other_tasks import OtherTasks
from pi05_ros.evaluation.collection.restart import restart
from pi05_ros.evaluation.collection.settings import ALL, CollectError, CollectSettings
from pi05_ros.evaluation.report.driving import driving, summary
from pi05_ros.evaluation.report.sheet import draw_sheet
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.tasks import things_to_put
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.registry import TASKS, tasks_about_one_thing
from pi05_ros.sim.world import World

PLATFORM = load_platform("mobile_18dof")
SHORT = CollectSettings("mobile_18dof", max_seconds=4.0)


def recorded(folder, settings, homes=(3,), seed=0):
    """The episodes of a collection, in order."""
    collect(folder, settings, list(homes), seed=seed)
    return list(open_episodes(folder))


def same(folder, other):
    """Whether two collections have equal bags."""
    bags = sorted(path.relative_to(folder) for path in folder.rglob("*.mcap"))
    assert bags
    return all((folder / bag).read_bytes() == (other / bag).read_bytes() for bag in bags)


def test_rows_of_wrong_chunks_do_not_train_and_end_the_chunks_before(tmp_path):
    settings = dataclasses.replace(SHORT, wrong_chunks=0.5)
    (episode,) = recorded(tmp_path / "a", settings)
    sources, running = episode.control_sources, episode.modes == MODE_RUNNING
    wrong = running & (sources == CONTROL_DISTURBANCE)
    assert 0.1 < wrong.mean() < 0.8
    assert (sources[running & ~wrong] == CONTROL_POLICY).all()
    reasons = NO_FILTER.row_reasons(episode)
    assert (reasons[wrong] != "").all() and (reasons[running & ~wrong] == "").any()
    clean = running & ~wrong
    first = int(np.flatnonzero(wrong[1:] & clean[:-1])[0]) + 1  # Of a span after the expert's.
    stops = NO_FILTER.action_stops(episode)
    assert stops[first - 1] == first and stops[first - 5] == first
    recorded(tmp_path / "b", settings)
    assert same(tmp_path / "a", tmp_path / "b")


def test_another_task_stands_in_its_labels_and_decisions(tmp_path):
    settings = dataclasses.replace(SHORT, other_tasks=0.9, max_seconds=6.0)
    (episode,) = recorded(tmp_path, settings)
    tasks = {plan.task for plan in episode.plans}
    other = tasks - {settings.task}
    assert other and other <= set(tasks_about_one_thing(draw_room("kitchen", 3)))
    assert {label.task for label in episode.labels} == tasks
    assert not any(plan.done for plan in episode.plans)


def test_other_tasks_end_and_do_not_follow_each_other():
    random = np.random.default_rng(0)
    tasks = OtherTasks("all", ["all", "one", "two"], 0.5, random)
    given = [tasks.task_at(second * 10**9) for second in range(200)]
    assert set(given) == {"all", "one", "two"}
    changes = [(a, b) for a, b in zip(given, given[1:], strict=False) if a != b]
    assert {"all"} == {a if b in ("one", "two") else b for a, b in changes}
    assert 3 <= given.count("one") / sum(b == "one" for _, b in changes) <= 9


def test_a_restart_begins_near_the_work_and_is_the_same_again(tmp_path):
    settings = dataclasses.replace(SHORT, restarts=True, max_seconds=1.5)
    (episode,) = recorded(tmp_path / "a", settings)
    (plain,) = recorded(tmp_path / "b", dataclasses.replace(settings, restarts=False))
    assert not np.allclose(episode.states[0], plain.states[0], atol=0.01)
    recorded(tmp_path / "c", settings)
    assert same(tmp_path / "a", tmp_path / "c")


def test_all_draws_a_task_for_each_home():
    settings = CollectSettings("mobile_18dof", task=ALL)
    drawn = [settings.for_home(home, 0) for home in range(40)]
    assert {one.task for one in drawn} == set(TASKS)
    assert {one.room() for one in drawn} == {task.room for task in TASKS.values()}
    assert drawn == [settings.for_home(home, 0) for home in range(40)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    return saved(
        folder, load_platform("mobile_18dof"), "pi05", training=Training(flow=True, text=True)
    )


def test_states_of_a_checkpoint_are_visited_and_the_expert_goes_on(tmp_path, checkpoint):
    settings = dataclasses.replace(SHORT, visited=str(checkpoint))
    (episode,) = recorded(tmp_path / "a", settings, seed=1)
    visited = episode.control_sources == CONTROL_DISTURBANCE
    assert visited.any() and (episode.control_sources == CONTROL_POLICY).any()
    recorded(tmp_path / "b", settings, seed=1)
    assert same(tmp_path / "a", tmp_path / "b")


def test_a_supervisor_speaks_over_a_learned_low_level(tmp_path, checkpoint):
    settings = dataclasses.replace(SHORT, verbal=str(checkpoint), max_seconds=2.0)
    (episode,) = recorded(tmp_path, settings)
    assert {label.source for label in episode.labels} == {"human"}
    assert {plan.kind for plan in episode.plans} == {SPOKEN}  # A source of kind VI.
    assert (episode.facts.brain, episode.facts.checkpoint) == ("model", str(checkpoint))
    running = episode.modes == MODE_RUNNING
    assert (episode.control_sources[running] == CONTROL_POLICY).all()


def test_what_cannot_be_combined_is_refused():
    with pytest.raises(ValueError, match="verbal: the checkpoint acts all the time"):
        CollectSettings("mobile_18dof", verbal="c", visited="c")
    with pytest.raises(ValueError, match="wrong chunks: wanted a chance from 0 to below 1"):
        CollectSettings("mobile_18dof", wrong_chunks=1.0)


@pytest.mark.parametrize("name", ["mobile_18dof", "mobile_19dof"])
def test_a_restart_may_begin_with_a_thing_in_a_hand(name):
    platform = load_platform(name)
    world, kinematics = World(platform, 10202, timestep=0.005), ArmKinematics(platform)
    things = things_to_put("put the dishes in the sink", world.room)
    restart(world, kinematics, things, np.random.default_rng(2))
    ((thing, gripper),) = world.held().items()
    before = world.scene_state().objects[thing].position
    assert gripper == "right_gripper" and thing in {item.name for item in things}
    world.step(0.5)  # It does not fall.
    assert world.scene_state().objects[thing].position == pytest.approx(before, abs=0.02)
    restart(world, kinematics, (), np.random.default_rng(2))
    assert world.held() == {}


class NumberedExpert:
    """An expert whose chunks hold their own number, of what was asked for."""

    def __init__(self):
        self.asked, self.executed = [], []

    def predict_chunk(self, observation, text):
        self.asked.append(text)
        return ChunkPrediction(np.full((50, PLATFORM.size), float(len(self.asked))))

    def replace_last_chunk(self, stamp_ns, chunk):
        self.executed.append((stamp_ns, chunk))


def test_wrong_chunks_last_a_while_spare_grippers_and_never_follow_each_other():
    expert, random = NumberedExpert(), np.random.default_rng(0)
    low = LowLevel(expert, PLATFORM, ["right", "wrong"], 0.3, None, random)
    state = PLATFORM.home.copy()
    state[PLATFORM.is_gripper] = 0.4
    commanded = np.full(PLATFORM.size, np.nan)
    wrong, chunks = [], []
    for stamp_ns in range(0, 200 * 400_000_000, 400_000_000):
        observation = Observation(stamp_ns, PLATFORM.names, state, commanded, {})
        request = ChunkRequest(stamp_ns, 1, 1, SubtaskRef("t", 1, "right"), None, 0.0, True)
        chunks.append(low.predict(observation, request))
        wrong.append(not low.is_expert(stamp_ns))
    spans = "".join("x" if one else "." for one in wrong).split(".")
    lengths = [len(span) for span in spans if span]
    assert len(lengths) > 20 and set(lengths) <= {1, 2, 3}
    assert len(expert.executed) == sum(wrong)  # The expert goes on from what was executed.
    assert set(expert.asked) == {"right", "wrong"}
    others = [chunk for chunk, is_wrong in zip(chunks, wrong, strict=True) if is_wrong]
    assert all((chunk[:, PLATFORM.is_gripper] == 0.4).all() for chunk in others)
    stale = [chunk for chunk in others if not chunk[:, PLATFORM.is_velocity].any()]
    assert 0 < len(stale) < len(others)


def test_another_task_that_is_finished_ends():
    tasks = OtherTasks("all", ["one"], 0.5, np.random.default_rng(0))
    stamps = iter(range(0, 10**12, 10**9))
    while tasks.task_at(next(stamps)) == "all":
        pass
    tasks.end()
    # As after any other task, that of the episode stands for one answer at least.
    assert tasks.task_at(next(stamps)) == "all"


def test_all_disturbances_together_are_the_same_in_any_process(tmp_path):
    settings = dataclasses.replace(
        SHORT, noise=0.01, wrong_chunks=0.3, restarts=True, other_tasks=0.3, max_seconds=1.5
    )
    collect(tmp_path / "a", settings, [1, 4])
    collect(tmp_path / "b", settings, [4])
    # Killed while home 1 was under way.
    part = tmp_path / "b" / UNDER_WAY / settings.episode_id(1, 0)
    part.mkdir(parents=True)
    (part / "half.mcap").write_bytes(b"half")
    assert collect(tmp_path / "b", settings, [1, 4]).present == 1
    assert same(tmp_path / "a", tmp_path / "b")
    # Datasets that are exported from both are equal, too.
    first, second = open_episodes(tmp_path / "a"), open_episodes(tmp_path / "b")
    assert [e.fingerprint for e in first] == [e.fingerprint for e in second]
    with pytest.raises(CollectError, match="was collected with wrong_chunks 0.3, and 0.2 is want"):
        collect(tmp_path / "a", dataclasses.replace(settings, wrong_chunks=0.2), [1])


def test_a_disturbance_is_drawn_and_named(tmp_path):
    settings = dataclasses.replace(SHORT, wrong_chunks=0.5, max_seconds=3.0)
    (episode,) = recorded(tmp_path, settings)
    assert "a disturbance" in summary(driving(episode))
    texts = {text.get_text() for text in draw_sheet(episode, 2).findobj(Text)}
    assert "driver" in texts


@pytest.mark.parametrize(
    ("more", "says"),
    [({"task": "put the dragon in the sink"}, "no rubric"), ({"visited": "/nowhere"}, "/nowhere")],
)
def test_what_cannot_be_done_claims_no_folder(tmp_path, more, says):
    with pytest.raises(Pi05Error, match=says):
        collect(tmp_path / "out", dataclasses.replace(SHORT, **more), [3])
    assert not (tmp_path / "out").exists()
