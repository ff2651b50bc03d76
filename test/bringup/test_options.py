"""The table of options: text in, checked values out."""

import dataclasses

import pytest

from pi05_ros.bringup.options import BringupOptions, option_table
from pi05_ros.errors import ConfigError

EXPERT = {"sim": "true", "brain": "expert"}


def test_the_table_has_a_row_for_every_field_and_its_defaults_parse_to_the_defaults():
    table = option_table()
    assert [o.name for o in table] == [f.name for f in dataclasses.fields(BringupOptions)]
    assert BringupOptions.parse({o.name: o.default for o in table}) == BringupOptions()
    for option in table:
        assert option.description.endswith((".", ")"))
        assert not option.choices or option.default in option.choices


def test_the_arguments_that_launch_files_promise_are_there():
    names = {o.name for o in option_table()}
    assert names >= {
        "sim", "brain", "checkpoint", "task", "record", "rviz", "namespace", "log_level",
    }  # fmt: skip


def test_text_becomes_values():
    options = BringupOptions.parse(
        {**EXPERT, "home": "7", "task": "make the bed", "record": "True"}
    )
    assert options == BringupOptions(
        sim=True, brain="expert", home=7, task="make the bed", record=True
    )


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (
            {"brian": "model"},
            r"option 'brian': there is none of that name; did you mean 'brain'\?",
        ),
        ({"brain": "exprt", "sim": "true"}, r"option 'brain': .* did you mean 'expert'\?"),
        ({"sim": "yes"}, "option 'sim': wanted true or false, found 'yes'"),
        ({"home": "three"}, "option 'home': wanted a whole number, found 'three'"),
        (
            {"room": "bedrom"},
            r"option 'room': wanted one of .*found 'bedrom'; did you mean 'bedroom'\?",
        ),
        (
            {"difficulty": "hrd"},
            r"option 'difficulty': there is no preset 'hrd'; did you mean 'hard'\?",
        ),
        ({"home": "-1"}, "option 'home': a seed is 0 or more, found -1"),
        ({"brain": "expert"}, "option 'brain': the expert reads a mock home's state"),
        ({**EXPERT, "checkpoint": "."}, "option 'checkpoint': brain expert has no weights"),
        ({"brain": "none"}, "option 'brain': with none only an operator moves the robot"),
        ({**EXPERT, "chunk_mode": "rtc"}, "option 'chunk_mode': the expert has no flow that rtc"),
        ({"chunk_mode": "asynk"}, r"option 'chunk_mode': .* did you mean 'async'\?"),
        ({"checkpoint": "/no/such"}, "option 'checkpoint': '/no/such' is not a folder"),
        ({"sim": "true", "mock_hardware": "true"}, "option 'mock_hardware': .* take one"),
        ({"task": "a\nb"}, "option 'task': wanted one printable line"),
        ({"task": "a" * 257}, "option 'task': wanted one printable line of at most 256"),
        ({"namespace": "7th"}, "option 'namespace': '7th' is not a ROS name"),
        ({"namespace": "a b"}, "option 'namespace': 'a b' is not a ROS name"),
        ({"console_port": "65536"}, "option 'console_port': wanted 0 to 65535, found 65536"),
        ({"log_level": "warning"}, r"option 'log_level': .* did you mean 'warn'\?"),
    ],
)
def test_a_wrong_value_is_one_clear_sentence(texts, sentence):
    with pytest.raises(ConfigError, match=sentence) as caught:
        BringupOptions.parse(texts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("namespace", "absolute", "level"),
    [
        ("pi05", "/pi05", "pi05:=info"),
        ("/fleet/r2", "/fleet/r2", "fleet.r2:=info"),
        ("", "/", "info"),
        ("/", "/", "info"),
    ],
)
def test_the_namespace_and_its_loggers(namespace, absolute, level):
    options = BringupOptions(namespace=namespace)
    assert options.absolute_namespace == absolute
    assert options.logger_level == level
