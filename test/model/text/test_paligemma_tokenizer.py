"""PaliGemma's ids, from both kinds of file. A miniature of Gemma's vocabulary is trained here."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import tokenizers
from fakes import vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.model.text import locations, prompts
from pi05_ros.model.text.lexicon import default_pieces
from pi05_ros.model.text.paligemma_tokenizer import PaliGemmaTokenizer
from pi05_ros.model.text.tokenizer import BEGIN, END, TokenizerError, prompt_tokens

TEXTS = [
    "",
    "Task: pick up the plate, State: 128 76 255;\nAction: ",
    " leading", "trailing ", "a  b   c      d", "\n\n", "a\n\n\nb\n\n\n\n\n\n\nc", "\t\t",
    "Teller in die Spüle, 把盘子放进水槽, 🍽️ e\u0301", "tab\tline\r\nzero\0",
    "<b>bold</b> <start_of_turn><unused0>", "<bos>text<eos><pad><unk>", "<0x41>",
    "<loc0000><loc1023> plate ; <seg000><seg127>", "<loc1024><loc12><seg128><<loc0001>>",
]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> bytes:
    return vocabulary.train()


@pytest.fixture(scope="module")
def by_file(model) -> dict[str, PaliGemmaTokenizer]:
    """The same vocabulary from four files: of either kind, with and without locations."""
    ending = vocabulary.LOCATIONS + vocabulary.SEGMENTS
    contents = {
        "gemma.json": vocabulary.as_bytes(vocabulary.to_json(model)),
        "paligemma.json": vocabulary.as_bytes(
            vocabulary.to_json(model, behind=[*ending, "<image>"])
        ),
        "gemma.model": model,
    }
    return {
        name: PaliGemmaTokenizer(content, vocabulary.PIECES, name)
        for name, content in contents.items()
    }


@pytest.fixture(scope="module")
def full(model, tmp_path_factory) -> PaliGemmaTokenizer:
    """Gemma's true size: the miniature, filled up with pieces that no text holds."""
    path = tmp_path_factory.mktemp("gemma") / "tokenizer.json"
    path.write_bytes(vocabulary.as_bytes(vocabulary.to_json(model, size=256_000)))
    return PaliGemmaTokenizer.from_file(path)


def test_the_published_ids(full):
    assert full.size == 257_152
    assert full.encode("<loc0000><loc1023>") == [256_000, 257_023]
    assert full.encode("<seg000><seg127>") == [257_024, 257_151]
    assert full.decode([0, 1, 2, 3]) == ""
    assert (END, BEGIN) == (1, 2)
    assert full.decode([256_007, 257_024, 257_151]) == "<loc0007><seg000><seg127>"
    # openpi, _act_tokens_to_paligemma_tokens: vocabulary − 1 − 128 − token.
    assert [full.action_token(index) for index in (0, 1, 1023, 1024, 2047)] == [
        257_023, 257_022, 256_000, 255_999, 254_976,
    ]  # fmt: skip
    assert [full.action_index(token) for token in (257_024, 257_023, 254_976, 254_975, -1)] == [
        None, 0, 2047, None, None,
    ]  # fmt: skip
    # They share ids with locations: as text, that is what they are.
    assert full.decode([full.action_token(0), full.action_token(1023)]) == "<loc1023><loc0000>"
    with pytest.raises(ValueError, match="FAST token 2048 is not from 0 to 2047"):
        full.action_token(2048)


@pytest.mark.parametrize("text", TEXTS)
def test_all_files_agree_and_every_text_comes_back(by_file, text):
    wanted = by_file["gemma.model"].encode(text)
    for name, tokenizer in by_file.items():
        assert tokenizer.encode(text) == wanted, name
        assert tokenizer.decode(wanted) == text, name


@pytest.mark.parametrize("text", [text for text in TEXTS if "<loc" not in text])
def test_the_ids_are_sentencepieces_own(model, by_file, text):
    library = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert by_file["gemma.json"].encode(text) == library.encode(text)
    assert library.decode(library.encode(text)) == text


@settings(deadline=None, max_examples=300)
@given(text=st.text() | st.text(alphabet=" \n\t<>/blocegs0127▁at"))
def test_any_text(by_file, text):
    first, *rest = by_file.values()
    tokens = first.encode(text)
    assert all(tokenizer.encode(text) == tokens for tokenizer in rest)
    assert not set(tokens) & {0, 1, 2, 3}
    assert first.decode(tokens) == text.replace("▁", " ")


@settings(deadline=None, max_examples=300)
@given(tokens=st.lists(st.integers(-3, 900 + 1024 + 128 + 3) | st.integers()))
def test_any_ids_are_text(by_file, tokens):
    texts = {tokenizer.decode(tokens) for tokenizer in by_file.values()}
    assert len(texts) == 1
    texts.pop().encode()


def test_half_a_surrogate_pair(by_file):
    for tokenizer in by_file.values():
        assert tokenizer.decode(tokenizer.encode("a\ud800b")) == "a?b"


def test_pieces_are_taken_as_sentencepiece_takes_them(by_file):
    for tokenizer in by_file.values():
        assert tokenizer.decode(tokenizer.encode("Task")[:1])[0] == "T"  # Nothing before it.
        for whole in ("\n", "\n\n\n", "     ", "<b>", "<start_of_turn>", "<loc0007>"):
            assert len(tokenizer.encode(whole)) == 1, whole
        # From the left, the longest first.
        assert tokenizer.encode(" " * 7) == tokenizer.encode(" " * 5) + tokenizer.encode("  ")
        assert tokenizer.encode("ü") == [tokenizer.encode("\0")[0] + byte for byte in b"\xc3\xbc"]


def test_a_file_comes_back_byte_for_byte(by_file, tmp_path):
    for name, file in {"gemma.json": "tokenizer.json", "gemma.model": "tokenizer.model"}.items():
        path = by_file[name].save(tmp_path)
        assert path == tmp_path / file
        assert path.read_bytes() == by_file[name].content
        assert PaliGemmaTokenizer.from_file(path, vocabulary.PIECES) == by_file[name]
    assert by_file["gemma.json"] != by_file["gemma.model"]


# ---- files that are not it

# As many pieces as the miniature has bytes, in their place.
WITHOUT_BYTES = [*vocabulary.WHOLE, *(f"<unused{index}>" for index in range(1, 257))]


def spoil(model: bytes, change) -> bytes:
    content = vocabulary.to_json(model)
    change(content)
    return vocabulary.as_bytes(content)


def swap_begin_and_end(content):
    content["model"]["vocab"].update({"<bos>": 1, "<eos>": 2})
    content["added_tokens"][1]["content"] = "<bos>"
    content["added_tokens"][2]["content"] = "<eos>"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["model"].update(type="WordPiece"), "found type 'WordPiece'"),
        (lambda c: c["model"].update(byte_fallback=False), "byte_fallback False"),
        (lambda c: c.update(normalizer={"type": "NFKC"}), "normalizer.*found {'type': 'NFKC'}"),
        (lambda c: c["model"]["vocab"].pop("<b>"), "wanted 900 pieces, found 899"),
        (swap_begin_and_end, "2: '<bos>'.*found.*2: '<eos>'"),
        (lambda c: c["model"]["vocab"].update({"<loc0000>": 900}), "1152 locations.*found 1"),
        (
            lambda c: c["model"]["vocab"].update({"other": 900}),
            "wanted '<loc0000>' as id 900, found 'other'; give the tokenizer of PaliGemma",
        ),
        (lambda c: c["model"]["vocab"].update({"other": 5000}), "wanted 'nothing' as id 5000"),
        (lambda c: c.pop("model"), "is no tokenizer.json"),
        (lambda c: c["model"]["merges"].append(["no", "piece"]), "refused by the library"),
    ],
)
def test_another_vocabulary_as_json_is_refused(model, change, message):
    with pytest.raises(TokenizerError, match=f"^a file: .*{message}"):
        PaliGemmaTokenizer(spoil(model, change), vocabulary.PIECES, "a file")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"add_dummy_prefix": True}, "keeps spaces"),
        ({"remove_extra_whitespaces": True}, "keeps spaces"),
        ({"byte_fallback": False, "user_defined_symbols": WITHOUT_BYTES}, "keeps spaces"),
        ({"pad_id": 2, "bos_id": 0}, "special tokens.*0: '<pad>'.*found.*0: '<bos>'"),
        ({"vocab_size": 901}, "wanted '<loc0000>' as id 900"),
    ],
)
def test_another_sentencepiece_model_is_refused(changes, message):
    with pytest.raises(TokenizerError, match=message):
        PaliGemmaTokenizer(vocabulary.train(**changes), vocabulary.PIECES)


def test_files_without_a_vocabulary_are_refused(model, tmp_path):
    with pytest.raises(TokenizerError, match="nothing here: cannot be read"):
        PaliGemmaTokenizer.from_file(tmp_path / "nothing here")
    for content in (b"", b"{", b"{}", b"[1]", b"\x80pickle", model[:-500]):
        with pytest.raises(TokenizerError):
            PaliGemmaTokenizer(content, vocabulary.PIECES)
    with pytest.raises(TokenizerError, match="wanted 256000 pieces, found 900"):
        PaliGemmaTokenizer(model)


# ---- the published file, where it is at hand


@pytest.mark.skipif(
    "PI05_GEMMA_TOKENIZER" not in os.environ,
    reason="PI05_GEMMA_TOKENIZER names no published file of Gemma or PaliGemma",
)
def test_the_published_file():
    path = os.environ["PI05_GEMMA_TOKENIZER"]
    tokenizer = PaliGemmaTokenizer.from_file(path)
    prompt = "Task: pick up the plate, State: 128 76 255;\nAction: "
    assert tokenizer.encode(prompt) == [
        7071, 235292, 4788, 908, 573, 8811, 235269, 3040, 235292, 235248, 235274, 235284, 235321,
        235248, 235324, 235318, 235248, 235284, 235308, 235308, 235289, 108, 4022, 235292, 235248,
    ]  # fmt: skip
    assert tokenizer.encode("|") == [235371]
    assert tokenizer.encode("<loc0512><seg007>") == [256_512, 257_031]
    # Beside each library on its own: both libraries encode prompts the same.
    if Path(path).suffix == ".json":
        library = tokenizers.Tokenizer.from_file(path)

        def plain(text):
            return library.encode(text, add_special_tokens=False).ids

    else:
        plain = sentencepiece.SentencePieceProcessor(model_file=path).encode
    draw = random.Random(0)
    words = [*default_pieces(), "Spüle", "盘子", "🍽️", "don't", "A_B", "3.14", "  ", "\n\n", "\t"]
    letters = [chr(code) for code in (*range(32, 127), *range(0x4E00, 0x4E80))]
    for _ in range(2000):
        chosen = draw.choice((words, letters))
        text = "".join(draw.choices(chosen, k=draw.randrange(30)))
        assert tokenizer.encode(text) == plain(text), text
        assert tokenizer.decode(tokenizer.encode(text)) == text
    # Any subtask that is not refused fits into the low level's prompt.
    subtask = "\U00012345" * 24  # Cuneiform: bytes.
    assert locations.subtask_problem(subtask) == ""
    assert len(tokenizer.encode(subtask)) == 96
    longest = prompts.low_level(subtask, np.full(19, 0.5))
    assert len(prompt_tokens(tokenizer, longest)) <= 200
