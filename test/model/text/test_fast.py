"""Actions as FAST tokens, and back."""

import json

import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tokenizers import ByteLevelBPETokenizer
from tokenizers.trainers import BpeTrainer

from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.fast_coefficients import FastError
from pi05_ros.model.text.tokenizer import TokenizerError

HORIZON, DIMS = 16, 5


def smooth_chunks(count: int, dims: int = DIMS, seed: int = 0) -> list[np.ndarray]:
    """Chunks like a robot's motion: offset, slope and oscillation. Within [-1, 1]."""
    draw = np.random.default_rng(seed)
    time = np.linspace(0.0, 1.0, HORIZON)[:, None]
    place, speed, swing = draw.normal(0.0, 0.3, (3, count, 1, dims))
    return list(np.clip(place + speed * time + 0.3 * np.sin(9.0 * swing * time), -1.0, 1.0))


@pytest.fixture(scope="module")
def fast() -> FastTokenizer:
    return FastTokenizer.fit(smooth_chunks(300), size=400)


def characters_of(fast: FastTokenizer) -> list[str]:
    """The one-character tokens of a fitted vocabulary, by id."""
    vocabulary = json.loads(fast.bpe)["model"]["vocab"]
    single = {token: piece for piece, token in vocabulary.items() if len(piece) == 1}
    return [single[token] for token in sorted(single)]


def ids_of(fast: FastTokenizer, integers) -> list[int]:
    """Integers, one token each."""
    characters = characters_of(fast)
    return [characters.index(chr(value - fast.min_token)) for value in np.ravel(integers)]


# ---- the maths


def test_a_hand_computed_chunk(fast):
    # Two steps: frequency 0 is (a + b) / √2, frequency 1 is (a − b) / √2.
    chunk = np.array([[0.9, -0.3], [0.5, 0.3]])
    ten_over_root_two = 10.0 / np.sqrt(2.0)
    assert 1.4 * ten_over_root_two == pytest.approx(9.8995, abs=1e-4)
    assert 0.4 * ten_over_root_two == pytest.approx(2.8284, abs=1e-4)
    assert -0.6 * ten_over_root_two == pytest.approx(-4.2426, abs=1e-4)
    # Low frequencies first, all dimensions of each.
    integers = [10, 0, 3, -4]
    assert fast.decode(fast.encode(chunk), 2, 2) == pytest.approx(
        fast.decode(ids_of(fast, integers), 2, 2)
    )
    want = np.array([[13.0, -4.0], [7.0, 4.0]]) / 10.0 / np.sqrt(2.0)
    assert fast.decode(ids_of(fast, integers), 2, 2) == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize("horizon", [1, 2, 7, 16])
def test_the_transform_is_the_orthonormal_dct(fast, horizon):
    draw = np.random.default_rng(horizon)
    integers = draw.integers(-8, 8, (horizon, 3))
    want = scipy.fft.idct(integers / 10.0, type=2, axis=0, norm="ortho")
    fast = FastTokenizer(fast.bpe, fast.scale, fast.min_token, limit=10.0)
    actions = fast.decode(ids_of(fast, integers), horizon, 3)
    assert actions.dtype == np.float32
    assert actions == pytest.approx(want, abs=1e-6)
    tokens = fast.encode(actions.astype(np.float64))
    assert fast.decode(tokens, horizon, 3) == pytest.approx(actions, abs=1e-7)


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_every_normalised_chunk_comes_back_within_the_bound(fast, data):
    shape = data.draw(st.tuples(st.integers(1, HORIZON), st.integers(1, 8)))
    edges = st.sampled_from([-1.0, 0.0, 1.0])
    chunk = data.draw(arrays(np.float64, shape, elements=edges | st.floats(-1.0, 1.0)))
    again = fast.decode(fast.encode(chunk), *shape)
    error = again - chunk
    bound = np.sqrt(shape[0]) * 0.5 / 10.0
    assert fast.error_bound(shape[0]) == pytest.approx(bound)
    assert np.linalg.norm(error, axis=0).max() <= bound + 1e-6  # L2, each dimension.
    assert np.abs(error).max() <= bound + 1e-6


def test_the_bound_is_reached(fast):
    # Every coefficient half a step from an integer, and in step with the first value.
    cosines = scipy.fft.dct(np.eye(HORIZON), axis=0, norm="ortho")
    signs = np.sign(cosines[:, 0])
    chunk = scipy.fft.idct(0.499 / 10.0 * signs, norm="ortho")[:, None]
    error = fast.decode(fast.encode(chunk), HORIZON, 1) - chunk
    assert np.linalg.norm(error) == pytest.approx(fast.error_bound(HORIZON), rel=3e-3)
    assert np.abs(error).max() > 0.85 * fast.error_bound(HORIZON)


def test_a_finer_scale_is_closer():
    chunks = smooth_chunks(50)
    errors = []
    for scale in (5.0, 10.0, 40.0):
        fast = FastTokenizer.fit(chunks, scale=scale, size=1024)
        again = [fast.decode(fast.encode(chunk), HORIZON, DIMS) for chunk in chunks]
        errors.append(float(np.sqrt(np.mean((np.stack(again) - np.stack(chunks)) ** 2))))
    assert errors[0] > 1.5 * errors[1] > 3.0 * errors[2]


def test_smooth_chunks_become_few_tokens(fast):
    unseen = smooth_chunks(50, seed=1)
    tokens = np.mean([len(fast.encode(chunk)) for chunk in unseen])
    assert tokens < HORIZON * DIMS / 2.5


def test_width_is_the_robots_own(fast):
    chunk = smooth_chunks(1)[0]
    for dims in (1, 3, DIMS):
        own = fast.encode(chunk[:, :dims])
        assert fast.decode(own, HORIZON, dims).shape == (HORIZON, dims)
    padded = np.hstack([chunk, np.zeros((HORIZON, 32 - DIMS))])
    assert fast.encode(padded) != fast.encode(chunk)
    with pytest.raises(FastError, match="wanted 80 coefficients .16 steps of 5 dimensions."):
        fast.decode(fast.encode(padded), HORIZON, DIMS)


# ---- fit


def test_fitting_is_repeatable():
    chunks = smooth_chunks(60)
    assert FastTokenizer.fit(chunks, size=300) == FastTokenizer.fit(iter(chunks), size=300)


def test_the_alphabet_covers_normalised_values_and_the_data(fast):
    reach = 40  # √16 · 1 · scale: a constant chunk of ones.
    assert fast.min_token == -reach
    assert len(characters_of(fast)) == 2 * reach + 1
    outlier = np.zeros((HORIZON, 1))
    outlier[:, 0] = -1.75
    wider = FastTokenizer.fit([*smooth_chunks(20), outlier], size=400)
    assert (wider.min_token, wider.limit) == (-70, 1.75)
    assert wider.decode(wider.encode(outlier), HORIZON, 1) == pytest.approx(outlier, abs=1e-6)


def test_data_that_cannot_be_fitted():
    with pytest.raises(ValueError, match="no chunk"):
        FastTokenizer.fit([])
    with pytest.raises(ValueError, match="from -40 to 40 do not fit into 80 tokens"):
        FastTokenizer.fit(smooth_chunks(3), size=80)
    with pytest.raises(FastError, match="wanted finite actions, found nan"):
        FastTokenizer.fit([np.full((4, 1), np.nan)])
    with pytest.raises(ValueError, match="scale 0.0 is not above 0"):
        FastTokenizer("{}", 0.0, 0, 1.0)


# ---- strictness


def test_actions_that_cannot_be_encoded(fast):
    chunk = np.zeros((HORIZON, DIMS))
    for value, found in ((np.nan, "found nan"), (np.inf, "found inf"), (1.01, "one of 1.01")):
        spoiled = chunk.copy()
        spoiled[3, 1] = value
        with pytest.raises(FastError, match=found) as caught:
            fast.encode(spoiled)
        assert caught.value.reason == "range"
    for shape in ((0, 3), (3,), (2, 3, 4)):
        with pytest.raises(FastError, match="wanted a chunk of shape"):
            fast.encode(np.zeros(shape))
    # Longer than any chunk of the fit: its frequency 0 is beyond the alphabet.
    for value, missing in ((1.0, 80), (-1.0, -80)):
        with pytest.raises(FastError, match=f"that the vocabulary knows.*found {missing}$"):
            fast.encode(np.full((64, 1), value))


def test_cut_and_lengthened_sequences_are_refused(fast):
    chunk = smooth_chunks(1, seed=3)[0]
    tokens = fast.encode(chunk)
    for cut in range(len(tokens)):
        with pytest.raises(FastError, match=f"wanted 80 coefficients .*in {cut} tokens") as caught:
            fast.decode(tokens[:cut], HORIZON, DIMS)
        assert caught.value.reason == "length"
    with pytest.raises(FastError, match="wanted 80 coefficients"):
        fast.decode([*tokens, tokens[0]], HORIZON, DIMS)
    with pytest.raises(ValueError, match="no chunk is of shape"):
        fast.decode(tokens, 0, DIMS)


def test_unknown_tokens_are_refused(fast):
    for token in (-1, fast.size, 10**12):
        with pytest.raises(
            FastError, match=f"from 0 to {fast.size - 1}, found {token} at place 1"
        ):
            fast.decode([0, token], HORIZON, DIMS)


def test_absurd_actions_are_refused(fast):
    for value in (-40, 40):  # In all frequencies at once: far beyond what was ever seen.
        with pytest.raises(FastError, match="within ±1, rounding aside, found one of") as caught:
            fast.decode(ids_of(fast, np.full((HORIZON, DIMS), value)), HORIZON, DIMS)
        assert caught.value.reason == "range"


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_any_tokens_are_a_chunk_or_an_error(fast, data):
    tokens = data.draw(st.lists(st.integers(-2, fast.size + 1), max_size=100))
    try:
        actions = fast.decode(tokens, 4, 2)
    except FastError as error:
        assert error.wanted in str(error)
        assert error.found in str(error)
    else:
        assert actions.shape == (4, 2)
        assert np.abs(actions).max() <= fast.limit + fast.error_bound(4)


# ---- files


def test_one_file_holds_it(fast, tmp_path):
    path = tmp_path / "fast_tokenizer.json"
    fast.save(path)
    again = FastTokenizer.load(path)
    assert again == fast
    chunk = smooth_chunks(1, seed=5)[0]
    assert again.encode(chunk) == fast.encode(chunk)
    assert [file.name for file in tmp_path.iterdir()] == ["fast_tokenizer.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("scale"), "wanted the keys .*'scale'"),
        (lambda c: c.update(extra=1), "found .*'extra'"),
        (lambda c: c.update(format="other"), "wanted the format 'pi05_ros-fast-1', found 'other'"),
        (lambda c: c.update(scale="10"), "scale: wanted a number, found '10'"),
        (lambda c: c.update(min_token=-1.5), "min_token: wanted a number, found -1.5"),
        (lambda c: c.update(limit=True), "limit: wanted a number, found True"),
        (lambda c: c.update(scale=-1), "scale -1.0 is not above 0"),
        (lambda c: c.update(bpe={"model": 3}), "the vocabulary is refused"),
    ],
)
def test_files_with_other_contents(fast, tmp_path, change, message):
    path = tmp_path / "fast_tokenizer.json"
    fast.save(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(TokenizerError, match=f"fast_tokenizer.json: .*{message}"):
        FastTokenizer.load(path)


def test_files_that_are_no_json(tmp_path):
    for content in (None, "", "[]", "{"):
        path = tmp_path / "fast_tokenizer.json"
        if content is not None:
            path.write_text(content)
        with pytest.raises(TokenizerError, match="fast_tokenizer.json: "):
            FastTokenizer.load(path)


# ---- the public folder


def public_text(chunk: np.ndarray, scale: float, min_token: int) -> str:
    """Characters of a chunk, as the public processor has them, by way of scipy."""
    coefficients = scipy.fft.dct(chunk, axis=0, norm="ortho")
    return "".join(chr(int(value) - min_token) for value in np.around(coefficients * scale).flat)


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """A folder laid out as physical-intelligence/fast: byte-level pairs, numbers beside them."""
    folder = tmp_path_factory.mktemp("public")
    min_token = -90
    inner = ByteLevelBPETokenizer()
    trainer = BpeTrainer(
        vocab_size=400,
        min_frequency=2,
        initial_alphabet=[chr(code) for code in range(180)],
        show_progress=False,
    )
    texts = [public_text(chunk, 10, min_token) for chunk in smooth_chunks(200)]
    inner._tokenizer.train_from_iterator(texts, trainer=trainer)
    inner.save(str(folder / "tokenizer.json"))
    numbers = {"scale": 10, "min_token": min_token, "vocab_size": 400}
    others = {"action_dim": None, "time_horizon": None, "processor_class": "Any"}
    (folder / "processor_config.json").write_text(json.dumps(numbers | others))
    return folder, inner, min_token


def test_the_public_folder(public, tmp_path):
    folder, inner, min_token = public
    fast = FastTokenizer.load(folder)
    assert (fast.scale, fast.min_token, fast.limit, fast.size) == (10.0, min_token, 5.0, 400)
    for chunk in smooth_chunks(50, seed=9):
        tokens = inner.encode(public_text(chunk, 10, min_token)).ids
        assert fast.encode(chunk) == tokens
        characters = np.array([ord(character) for character in inner.decode(tokens)]) + min_token
        want = scipy.fft.idct(characters.reshape(HORIZON, DIMS) / 10, axis=0, norm="ortho")
        assert fast.decode(tokens, HORIZON, DIMS) == pytest.approx(want, abs=1e-6)
    fast.save(tmp_path / "fast_tokenizer.json")  # One file from then on.
    assert FastTokenizer.load(tmp_path / "fast_tokenizer.json") == fast


def test_sequences_that_public_code_replaces_by_zeros_are_refused(public):
    folder, inner, min_token = public
    fast = FastTokenizer.load(folder)
    tokens = inner.encode(public_text(smooth_chunks(1)[0], 10, min_token)).ids
    with pytest.raises(FastError, match="wanted 80 coefficients"):
        fast.decode(tokens[:-1], HORIZON, DIMS)
    half = inner.token_to_id("Â")  # The first of two bytes.
    with pytest.raises(FastError, match="wanted whole characters") as caught:
        fast.decode([half] * 80, HORIZON, DIMS)
    assert caught.value.reason == "text"
    # −91 has no character; public code gives −90 instead.
    with pytest.raises(FastError, match="knows .from -90 up., found -91$"):
        fast.encode(np.full((HORIZON, 1), -91 / 40))
    # A byte that never occurred has no token; the library leaves it out without a word.
    with pytest.raises(FastError, match="that the vocabulary knows"):
        fast.encode(np.full((50, 1), 4.9))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(vocab_size=399), "wanted at most 399 tokens .*found 400"),
        (lambda c: c.pop("min_token"), "wanted the keys"),
        (lambda c: c.update(min_token=None), "min_token: wanted a number, found None"),
    ],
)
def test_public_folders_that_do_not_fit(public, tmp_path, change, message):
    folder = public[0]
    (tmp_path / "bpe_tokenizer").mkdir()  # Where newer files keep it.
    (tmp_path / "bpe_tokenizer" / "tokenizer.json").write_bytes(
        (folder / "tokenizer.json").read_bytes()
    )
    numbers = json.loads((folder / "processor_config.json").read_text())
    (tmp_path / "processor_config.json").write_text(json.dumps(numbers))
    assert FastTokenizer.load(tmp_path) == FastTokenizer.load(folder)
    change(numbers)
    (tmp_path / "processor_config.json").write_text(json.dumps(numbers))
    with pytest.raises(TokenizerError, match=message):
        FastTokenizer.load(tmp_path)
