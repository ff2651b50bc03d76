"""Actions as FAST tokens in an answer."""

import numpy as np
import pytest
from fakes import vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.model.text import action_text
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.fast_coefficients import FastError
from pi05_ros.model.text.paligemma_tokenizer import PaliGemmaTokenizer
from pi05_ros.model.text.tokenizer import END, PAD, ByteTokenizer

HORIZON, DIMS = 8, 3


def smooth_chunks(count: int) -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    time = np.linspace(0.0, 1.0, HORIZON)[:, None]
    place, speed = draw.uniform(-0.5, 0.5, (2, count, 1, DIMS))
    return list(place + speed * time)


@pytest.fixture(scope="module")
def fast() -> FastTokenizer:
    return FastTokenizer.fit(smooth_chunks(200), size=200)


@pytest.fixture(scope="module", params=["bytes", "paligemma"])
def tokenizer(request):
    if request.param == "bytes":
        return ByteTokenizer()
    return PaliGemmaTokenizer(vocabulary.train(), vocabulary.PIECES)


def test_word_for_word(tokenizer, fast):
    chunk = smooth_chunks(1)[0]
    ids = action_text.encode_actions(tokenizer, fast, chunk)
    opening, closing = tokenizer.encode("Action: "), tokenizer.encode("|")
    expected = [tokenizer.size - 1 - 128 - index for index in fast.encode(chunk)]
    assert ids == [*opening, *expected, *closing, END]
    assert action_text.encode_actions(tokenizer, fast, chunk, opening="") == [
        *expected,
        *closing,
        END,
    ]


@pytest.mark.parametrize("opening", ["Action: ", ""])
def test_decoding_inverts_encoding(tokenizer, fast, opening):
    for chunk in smooth_chunks(20):
        ids = action_text.encode_actions(tokenizer, fast, chunk, opening)
        want = fast.decode(fast.encode(chunk), HORIZON, DIMS)
        for written in (ids, ids[:-1], [*ids, PAD, PAD], np.array(ids)):
            got = action_text.decode_actions(tokenizer, fast, written, HORIZON, DIMS, opening)
            np.testing.assert_array_equal(got, want)


def test_an_answer_that_is_cut_or_changed_is_refused(tokenizer, fast):
    ids = action_text.encode_actions(tokenizer, fast, smooth_chunks(1)[0])
    begin, end = len(tokenizer.encode("Action: ")), len(ids) - 1 - len(tokenizer.encode("|"))

    def refused(written, message, reason):
        with pytest.raises(FastError, match=message) as caught:
            action_text.decode_actions(tokenizer, fast, written, HORIZON, DIMS)
        assert caught.value.reason == reason

    for cut in range(begin):
        refused(ids[:cut], "begins with 'Action: '", "text")
    for cut in range(begin, end + 1):
        refused(ids[:cut], "wanted '.' after the actions, found the end", "length")
        refused([*ids[:cut], END], "wanted '.' after the actions, found the end", "length")
    refused([*ids[: end - 1], *ids[end:]], "wanted 24 coefficients", "length")
    refused([*ids[:end], ids[begin], *ids[end:]], "wanted 24 coefficients", "length")
    word = tokenizer.encode("plate")
    segment = tokenizer.encode("<seg000>")  # A word may share its id with a FAST token.
    refused([*ids[:begin], *segment, *ids[begin:]], "up to '.', found the id", "text")
    refused([*word, *ids], "begins with 'Action: ', found 'plateAction", "text")
    refused([*ids, *word], "nothing after '.'", "text")
    refused([*ids[:-1], *word], "nothing after '.', found 'plate'", "text")
    unknown = tokenizer.action_token(fast.size)
    refused([*ids[:begin], unknown, *ids[begin:]], f"tokens from 0 to {fast.size - 1}", "token")


def test_a_vocabulary_with_too_few_fast_tokens(fast):
    small = ByteTokenizer(actions=fast.size - 1)
    with pytest.raises(ValueError, match="wanted at most .* FAST tokens"):
        action_text.encode_actions(small, fast, smooth_chunks(1)[0])


@settings(deadline=None, max_examples=500)
@given(data=st.data())
def test_any_ids_are_actions_or_a_clear_error(tokenizer, fast, data):
    closing = tokenizer.encode("|")
    fast_ids = st.integers(0, fast.size - 1).map(tokenizer.action_token)
    kinds = fast_ids | st.sampled_from([*closing, END, PAD]) | st.integers(-5, tokenizer.size + 5)
    ids = data.draw(st.lists(kinds, max_size=30) | st.lists(fast_ids, min_size=1, max_size=30))
    opening = data.draw(st.sampled_from([[], tokenizer.encode("Action: ")]))
    ending = data.draw(st.sampled_from([[], closing, [*closing, END]]))
    try:
        actions = action_text.decode_actions(tokenizer, fast, [*opening, *ids, *ending], 2, DIMS)
    except FastError as error:
        assert str(error).startswith("FAST: wanted ")
    else:
        assert actions.shape == (2, DIMS)
        assert np.abs(actions).max() <= fast.limit + fast.error_bound(2)
