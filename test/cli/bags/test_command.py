"""`./pi05 bags` and its verbs."""

import pytest

from pi05_ros.cli.bags.command import VERBS, main, usage
from pi05_ros.cli.main import main as pi05


def test_without_a_verb_it_lists_them(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.strip() == usage()
    assert all(name in usage() for name in VERBS)


def test_an_unknown_verb_names_the_nearest(capsys):
    assert pi05(["bags", "chek"]) == 2
    assert "there is no verb 'chek'; did you mean 'check'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: pi05 bags {name}" in capsys.readouterr().out
