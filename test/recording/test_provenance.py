"""The provenance of an episode."""

import hashlib
import subprocess

import pi05_ros
from pi05_ros.recording import provenance
from pi05_ros.recording.provenance import checkpoint_facts, episode_id, software_version


def test_a_checkpoint_is_identified_by_the_hash_of_its_manifest(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"{}")
    found = checkpoint_facts("model", str(tmp_path))
    assert found == (str(tmp_path), hashlib.sha256(b"{}").hexdigest())


def test_a_shipped_checkpoint_is_its_name_and_hash(shipped_folder):
    (shipped_folder / "nano").mkdir()
    (shipped_folder / "nano/manifest.json").write_bytes(b"{}")
    facts = ("nano", hashlib.sha256(b"{}").hexdigest())
    assert checkpoint_facts("model", "nano") == checkpoint_facts("model", "") == facts


def test_random_weights_and_no_weights(tmp_path, shipped_folder):
    assert checkpoint_facts("model", "") == ("random:nano", "random weights")
    assert checkpoint_facts("model", "random:tiny?seed=3") == (
        "random:tiny?seed=3",
        "random weights",
    )
    assert checkpoint_facts("expert", "") == ("", "")
    assert checkpoint_facts("model", str(tmp_path)) == (str(tmp_path), "")


def test_the_software_version_has_the_revision_of_a_checkout(tmp_path, monkeypatch):
    package = tmp_path / "pi05_ros"
    package.mkdir()
    monkeypatch.setattr(provenance.pi05_ros, "__file__", str(package / "__init__.py"))
    plain = f"pi05_ros {pi05_ros.__version__}"
    assert software_version() == plain
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert software_version() == f"{plain} (git revision unknown)"
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert software_version() == f"{plain} (git {done.stdout[:12]})"


T = 1795400130.0  # 2026-11-23T02:15:30Z


def test_a_name_has_the_time_and_the_task(tmp_path):
    assert episode_id("Put the dishes, in the sink!", T, tmp_path) == (
        "20261123T021530Z_put-the-dishes-in-the-sink"
    )
    assert episode_id("", T, tmp_path) == "20261123T021530Z"
    assert episode_id("把碗放进水槽", T, tmp_path) == "20261123T021530Z"
    assert episode_id("../../etc", T, tmp_path) == "20261123T021530Z_etc"
    assert len(episode_id("word " * 60, T, tmp_path)) <= 17 + 60


def test_a_name_is_new_in_its_folder(tmp_path):
    for expected in ("20261123T021530Z_a", "20261123T021530Z_a_2", "20261123T021530Z_a_3"):
        assert episode_id("a", T, tmp_path) == expected
        (tmp_path / expected).mkdir()
