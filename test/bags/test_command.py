"""`./pi05 bags` and its verbs."""

from pi05_ros.bags.command import VERBS, main, usage
from pi05_ros.cli import main as pi05


def test_without_a_verb_it_lists_them(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.strip() == usage()
    assert all(name in usage() for name in VERBS)


def test_an_unknown_verb_names_the_nearest(capsys):
    assert pi05(["bags", "chek"]) == 2
    assert "there is no verb 'chek'; did you mean 'check'?" in capsys.readouterr().err
