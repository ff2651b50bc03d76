import pytest

from pi05_ros.console.gate import Gate

TOKEN = "a-long-enough-token"


@pytest.mark.parametrize(
    "host, ours",
    [
        ("localhost:8805", True),
        ("LOCALHOST", True),
        ("127.0.0.1:8805", True),
        ("[::1]:9000", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:8805", False),
        ("192.168.1.5:8805", False),
        ("", False),
        ("[::1", False),
        ("localhost@evil.example", False),
        ("evil.example@localhost", False),
        ("localhost/evil.example", False),
        ("localhost#.evil.example", False),
        ("localhost:8805:1", False),
        ("localhost:port", False),
        ("localhost.", False),
        ("127.1", False),
    ],
)
def test_on_loopback_only_names_of_loopback_are_ours(host, ours):
    assert Gate("127.0.0.1").host_is_ours(host) is ours


def test_open_to_others_addresses_and_given_names_are_ours():
    gate = Gate("0.0.0.0", TOKEN, ("robot.local",))
    assert gate.host_is_ours("192.168.1.5:8805")
    assert gate.host_is_ours("robot.local:8805")
    assert gate.host_is_ours("Robot.Local")
    assert not gate.host_is_ours("rebound.example:8805")


@pytest.mark.parametrize(
    "origin, ours",
    [
        (None, True),
        ("http://localhost:8805", True),
        ("https://localhost:8805", True),
        ("http://localhost:8806", False),
        ("http://127.0.0.1:8805", False),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
        ("file://localhost:8805", False),
        ("HTTP://LocalHost:8805", True),
        ("http://localhost:8805.evil.example", False),
        ("http://evil.example@localhost:8805", False),
        ("http://[::1", False),
        ("http://\u2102\u2100:1", False),
    ],
)
def test_an_origin_must_be_the_host_that_was_asked(origin, ours):
    assert Gate("127.0.0.1").origin_is_ours(origin, "localhost:8805") is ours


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "robot.local"])
def test_it_is_not_opened_without_a_token(host):
    with pytest.raises(ValueError, match="host: .*no token"):
        Gate(host)
    Gate(host, TOKEN)


def test_a_token_must_be_long_enough():
    with pytest.raises(ValueError, match="at least 12"):
        Gate("127.0.0.1", "short")
    for token in (f"{TOKEN}\n", f" {TOKEN}", "a long enough token", "ein-schönes-Wort"):
        with pytest.raises(ValueError, match="printable ASCII characters without spaces"):
            Gate("127.0.0.1", token)


def test_the_token_is_shown_by_header_or_by_cookie():
    gate = Gate("127.0.0.1", TOKEN)
    assert gate.token_fits(f"Bearer {TOKEN}", None)
    assert gate.token_fits(f"bearer  {TOKEN} ", None)
    assert gate.token_fits(None, gate.cookie)
    for header, cookie in [
        (None, None),
        ("", ""),
        (TOKEN, None),
        (f"Basic {TOKEN}", None),
        (f"Bearer {TOKEN}x", None),
        ("Bearer wröng", None),
        (None, TOKEN),
        ("Bearer no", gate.cookie),
    ]:
        assert not gate.token_fits(header, cookie)
    assert TOKEN not in gate.cookie
    assert Gate("127.0.0.1").token_fits(None, None)
    assert not Gate("127.0.0.1").is_token("")
