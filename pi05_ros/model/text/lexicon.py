"""Words that are single tokens in the byte tokenizer's vocabulary. All else is encoded in bytes.

Words of mobile manipulation in a home: tasks, subtasks, things and places (paper, sections IV and
V), and the fixed parts of the prompts. A checkpoint stores its own list, so that a change here
does not affect weights trained before it.
"""

from __future__ import annotations

_PROMPT = ("Task:", ", State:", ";\n", "Action: ", "Subtask: ", " ; ", ": ")
_PHRASES = ("pick up the", "place the", "put the", "open the", "close the", "move to the")
_VERBS = """
    pick place put open close move go reach push pull lift grasp release drop hold carry bring take
    wipe clean make fold straighten turn look find tidy wash throw hang drive adjust lower raise
    rotate wait stop done
""".split()
_SMALL = """
    the a an and all of in into on onto to from up down at with next left right front back hand
    arm gripper wrist both other first second last it them away out off under above over near top
    bottom side center inside forward backward closer home ready empty full
""".split()
_THINGS = """
    plate bowl cup mug glass fork knife spoon spatula pan pot lid dish dishes bottle can jar box
    bag sponge towel cloth cutting board tray napkin kettle item items object objects shirt sock
    socks pants clothes laundry jacket hat shoe shoes blanket pillow sheet bed book toy remote
    apple banana orange lemon bread trash paper pen scissors whisk ladle tongs peeler
""".split()
_PLACES = """
    sink counter table drawer cabinet cupboard shelf rack oven stove fridge dishwasher microwave
    basket bin hamper nightstand dresser desk chair floor door handle wall window kitchen bedroom
    bathroom room edge corner drying
""".split()
_LOOKS = """
    red green blue yellow white black brown grey pink purple small large round wooden
""".split()


_QUESTIONS = """
    caption answer detect en is are there how many what which where colour than no yes one two
    three four five six seven eight nine in between beside
""".split()
_MORE_THINGS = """
    cereal plant marker screwdriver tape roll car control side head teal orange garment trousers
    shirts t-shirt hoodie dress skirt lamp clock block cube cylinder
""".split()


def default_pieces() -> tuple[str, ...]:
    """Pieces in the order of their ids: parts of prompts, state bins, words, first words."""
    # " -1" to " 255": -1 is the bin below the 1st percentile in the public prompt.
    bins = [f" {number}" for number in range(-1, 256)]
    words = [f" {word}" for word in (*_VERBS, *_SMALL, *_THINGS, *_PLACES, *_LOOKS)]
    first_words = [*_PHRASES, *_VERBS]  # At the beginning of a subtask, without a space.
    later = [f" {word}" for word in (*_QUESTIONS, *_MORE_THINGS)]
    beginnings = ("caption en\n", "answer en", "detect", ",", "?", *_THINGS)
    return tuple(dict.fromkeys([*_PROMPT, *bins, *words, *first_words, *later, *beginnings]))
