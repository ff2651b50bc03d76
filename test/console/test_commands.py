import json

import pytest

from pi05_ros.console.answers import Refused
from pi05_ros.console.commands import COMMANDS, number_of, parse


def test_a_command_is_read():
    text = (
        '{"type":"command","id":3,"seen":9,"lease":2,"name":"instruct","arguments":{"text":"x"}}'
    )
    message = parse(text)
    assert (message.kind, message.number, message.seen, message.lease) == ("command", 3, 9, 2)
    assert (message.name, message.arguments) == ("instruct", {"text": "x"})


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "not valid JSON"),
        ("[" * 3000, "not valid JSON"),
        ('{"type":"hello","name":"\\ud800"}', "not valid Unicode"),
        (
            '{"type":"command","name":"instruct","arguments":{"text":"pick \\udfff up"}}',
            "not valid Unicode",
        ),
        (
            '{"type":"command","name":"stop_episode",'
            '"arguments":{"outcome":"success","notes":"\\u001b[2J"}}',
            "notes: control characters",
        ),
        ("[]", "wanted an object"),
        ('{"type":"reboot"}', "wanted an object"),
        ('{"type":["stop"]}', "wanted an object"),
        ('{"type":"seen","seen":-1}', "whole number"),
        ('{"type":"seen","seen":1.5}', "whole number"),
        ('{"type":"seen","seen":true}', "whole number"),
        ('{"type":"seen","seen":99999999999999999999}', "whole number"),
        ('{"type":"hello","name":7}', "name must be text"),
        ('{"type":"hello","name":"%s"}' % ("x" * 41), "at most 40"),
        ('{"type":"command","name":"shutdown"}', "unknown command"),
        ('{"type":"command","name":"arm","arguments":{"x":"y"}}', "arguments none"),
        ('{"type":"command","name":"arm","arguments":[]}', "arguments an object"),
        ('{"type":"command","name":"instruct"}', "arguments text"),
        ('{"type":"command","name":"instruct","arguments":{"text":1}}', "wanted text"),
        ('{"type":"command","name":"instruct","arguments":{"text":" "}}', "empty"),
        ('{"type":"command","name":"instruct","arguments":{"text":"a <b"}}', "text: it has '<'"),
        (
            '{"type":"command","name":"instruct","arguments":{"text":"a; b"}}',
            "parts two boxes",
        ),
        ('{"type":"command","name":"instruct","arguments":{"text":"front: cup"}}', "a camera"),
        ('{"type":"command","name":"instruct","arguments":{"text":"Done"}}', "task is finished"),
        ('{"type":"command","name":"execute_task","arguments":{"task":"a\\nb"}}', "one line"),
        (
            '{"type":"command","name":"execute_task","arguments":{"task":"%s"}}' % ("x" * 257),
            "256",
        ),
        (
            '{"type":"command","name":"stop_episode","arguments":{"outcome":"ok","notes":""}}',
            "success, failure, discard",
        ),
    ],
)
def test_what_is_no_message_is_refused(text, why):
    with pytest.raises(Refused, match=why) as caught:
        parse(text)
    assert caught.value.status == 400


def test_stop_is_no_command_that_needs_control():
    assert "stop" not in COMMANDS
    assert parse(json.dumps({"type": "stop", "id": 1})).kind == "stop"


def test_a_spoken_subtask_is_cleaned_before_it_is_checked_and_a_task_is_no_label():
    def command(name, key, text):
        content = {"type": "command", "name": name, "arguments": {key: text}}
        return parse(json.dumps(content)).arguments[key]

    assert command("instruct", "text", " pick  up the cup ") == " pick  up the cup "
    assert command("execute_task", "task", "tidy: table; sink") == "tidy: table; sink"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('{"id": 7, "type": "command", "name": "no such"}', 7),
        ('{"id": 7, "type": "no such"}', 7),
        ('{"id": "7"}', 0),
        ('{"id": true}', 0),
        ('{"id": -1}', 0),
        ("[1]", 0),
        ("no json", 0),
        ("[" * 100_000, 0),
    ],
)
def test_a_refusal_has_the_number_of_its_message(text, number):
    assert number_of(text) == number
