from pi05_ros.data.episodes.episode import PictureBox, SubtaskLabel
from pi05_ros.data.episodes.label_overlay import with_recorded_details

BOX = (PictureBox("front", "cup", 0.1, 0.1, 0.2, 0.2),)
OWN = (
    SubtaskLabel(0, 10, "pick", "model", "tidy", 0.5, BOX, id=1),
    SubtaskLabel(10, 20, "pick", "model", "tidy", 0.7, id=2),
    SubtaskLabel(20, 30, "put", "human", "tidy", model_text="pick", id=3),
)


def test_a_label_that_was_kept_is_the_recorded_one():
    kept = (SubtaskLabel(0, 20, "pick", "model"), SubtaskLabel(20, 30, "put", "human"))
    assert with_recorded_details(kept, OWN) == OWN


def test_what_reaches_beyond_it_has_no_details():
    moved = SubtaskLabel(5, 25, "pick", "model", "tidy")
    assert with_recorded_details([moved], OWN) == (
        SubtaskLabel(5, 10, "pick", "model", "tidy", 0.5, BOX, id=1),
        SubtaskLabel(10, 20, "pick", "model", "tidy", 0.7, id=2),
        SubtaskLabel(20, 25, "pick", "model", "tidy"),
    )
    begun_before = SubtaskLabel(12, 26, "put", "human")
    assert with_recorded_details([begun_before], OWN) == (
        SubtaskLabel(12, 20, "put", "human"),
        SubtaskLabel(20, 26, "put", "human", "tidy", model_text="pick", id=3),
    )


def test_another_text_or_source_is_another_label():
    others = (SubtaskLabel(0, 10, "pick", "human"), SubtaskLabel(10, 20, "drop", "model"))
    assert with_recorded_details(others, OWN) == others
    assert with_recorded_details(others, ()) == others
