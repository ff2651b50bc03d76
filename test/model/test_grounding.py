"""Heat maps: targets and points by hand, queries, and the tokens that tell of points."""

import math

import pytest
import torch
from fakes.compact_model import SIZE, compact_config

from pi05_ros.model.compact_vision import Pictures
from pi05_ros.model.grounding import POINTS, heat_targets, points_of
from pi05_ros.model.pi05 import Pi05, draw_weights

HEIGHT, WIDTH = 36, 48  # Of nano's largest fine map.
FRONT, BACK = 0, 1


@pytest.fixture(scope="module")
def model() -> Pi05:
    made = Pi05(compact_config())
    draw_weights(made, 0, adaptive_scale=1.0)
    return made.eval()


def pictures_of(model: Pi05, *views: int, seed: int = 0) -> Pictures:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (len(views), 3, *SIZE), generator=generator).byte()
    return model.embed_pictures(images, torch.tensor(views))


def texts(*rows: list[int], length: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (rows, L) and which are valid."""
    length = max(length, *map(len, rows))
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    valid = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row, dtype=torch.long)
        valid[index, : len(row)] = True
    return ids, valid


def test_targets_by_hand():
    """At the middle of a cell: 1, e^-0.5, e^-2 from it, over their sum, in each direction."""
    places = torch.tensor([2.5 / 5, 0.5 / 3])
    found = heat_targets(places, torch.tensor(True), 3, 5)
    across = torch.tensor([math.exp(-0.5 * d * d) for d in (-2, -1, 0, 1, 2)])
    down = torch.tensor([math.exp(-0.5 * d * d) for d in (0, 1, 2)])
    wanted = torch.outer(down / down.sum(), across / across.sum())
    torch.testing.assert_close(found[:-1].view(3, 5), wanted)
    assert found[-1] == 0.0


def test_targets_of_what_is_not_seen():
    found = heat_targets(torch.tensor([[0.2, 0.7]]), torch.tensor([False]), 3, 5)
    assert found.tolist() == [[0.0] * 15 + [1.0]]


def test_targets_are_distributions():
    places = torch.rand(4, POINTS, 2, generator=torch.Generator().manual_seed(0))
    found = heat_targets(places, torch.tensor([[True, False]] * 4), 6, 12)
    assert found.shape == (4, POINTS, 6 * 12 + 1)
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(4, POINTS))


@pytest.mark.parametrize("x", [4.0, 17.3, 23.5, 44.0])
@pytest.mark.parametrize("y", [4.2, 18.0, 31.7])
def test_a_gaussian_gives_its_place_back(x, y):
    """In cells. It is cut two cells from its peak, which moves the mean by less than 0.1."""
    place = torch.tensor([x / WIDTH, y / HEIGHT])
    logits = heat_targets(place, torch.tensor(True), HEIGHT, WIDTH).clamp(min=1e-12).log()
    found = points_of(logits, HEIGHT, WIDTH)
    error = (found.places - place) * torch.tensor([WIDTH, HEIGHT])
    assert error.abs().max() < 0.1
    assert found.seen == pytest.approx(1.0, abs=1e-4)


EDGES = [(0.0, 0.0), (0.5, 35.5), (48.0, 36.0), (47.5, 0.4), (1.0, 20.0), (46.8, 35.0)]


@pytest.mark.parametrize(("x", "y"), EDGES)
def test_places_at_the_edges(x, y):
    """There only one side of the Gaussian is in the picture."""
    place = torch.tensor([x / WIDTH, y / HEIGHT])
    logits = heat_targets(place, torch.tensor(True), HEIGHT, WIDTH).clamp(min=1e-12).log()
    error = (points_of(logits, HEIGHT, WIDTH).places - place) * torch.tensor([WIDTH, HEIGHT])
    assert error.abs().max() < 0.1


def test_a_point_is_of_the_highest_peak_alone():
    """Two places of 0.6 and 0.4: no mean between them."""
    logits = torch.full((HEIGHT * WIDTH + 1,), -1e4)
    logits[3 * WIDTH + 40], logits[30 * WIDTH + 4] = math.log(0.6), math.log(0.4)
    found = points_of(logits, HEIGHT, WIDTH)
    torch.testing.assert_close(found.places, torch.tensor([40.5 / WIDTH, 3.5 / HEIGHT]))


def test_columns_do_not_go_on_in_the_next_row():
    logits = torch.full((HEIGHT * WIDTH + 1,), -1e4)
    logits[10 * WIDTH + WIDTH - 1], logits[11 * WIDTH] = 1.0, 0.9
    x, y = points_of(logits, HEIGHT, WIDTH).places
    assert 47.5 / WIDTH <= x <= 1.0
    torch.testing.assert_close(y, torch.tensor(10.5 / HEIGHT))


def test_seen_is_one_less_the_chance_of_nothing():
    logits = torch.tensor([0.2, 0.3, 0.0, 0.0, 0.1, 0.0, 0.4]).log()
    assert points_of(logits, 2, 3).seen.item() == pytest.approx(0.6, abs=1e-6)
    logits = torch.tensor([-1e4] * 6 + [0.0])
    assert points_of(logits, 2, 3).seen.item() == 0.0


def test_heat_maps_are_of_each_size_and_query(model):
    pictures = pictures_of(model, BACK, FRONT, BACK)
    ids, valid = texts([5, 6], [7, 8], [9], [5], [6], [7])
    queries = ids.view(3, 2, 2), valid.view(3, 2, 2)
    whole, reduced = model.ground(pictures, *queries)
    assert whole.shape == (1, 2, POINTS, 12 * 24 + 1)
    assert reduced.shape == (2, 2, POINTS, 6 * 12 + 1)
    # The second picture of a back camera, and its second text, alone.
    one = pictures_of(model, BACK, FRONT, BACK)
    part = Pictures(one.tokens[2:, :2], None, ())
    part = Pictures(part.tokens, None, tuple(maps_of(one, 2)))
    (alone,) = model.ground(part, ids[5][None, None], valid[5][None, None])
    torch.testing.assert_close(alone[0, 0], reduced[1, 1], rtol=1e-4, atol=1e-5)


def maps_of(pictures: Pictures, row: int):
    """The maps of one picture, as of a batch of it alone."""
    for maps in pictures.maps:
        chosen = maps.rows == row
        if chosen.any():
            yield type(maps)(maps.rows.new_zeros(1), maps.fine[chosen], maps.coarse[chosen])


def test_pairs_are_those_that_are_asked_for(model):
    """Each pair as if it were alone, whatever the order of sizes."""
    pictures = pictures_of(model, BACK, FRONT, BACK)
    ids, valid = texts([5, 6], [7], [8, 9, 10])
    which = torch.tensor([0, 2, 2])
    whole, reduced = model.ground_pairs(pictures, which, ids, valid)
    assert whole[0].tolist() == [] and whole[1].shape == (0, POINTS, 12 * 24 + 1)
    assert reduced[0].tolist() == [0, 1, 2]
    every = model.ground(pictures, ids.expand(3, -1, -1), valid.expand(3, -1, -1))[1]
    wanted = torch.stack([every[0, 0], every[1, 1], every[1, 2]])  # Of the first and last picture.
    torch.testing.assert_close(reduced[1], wanted, rtol=1e-4, atol=1e-5)


def test_a_text_decides(model):
    pictures = pictures_of(model, FRONT)
    ids, valid = texts([5, 6, 7], [5, 6, 8])
    (heat,) = model.ground(pictures, ids[None], valid[None])
    assert (heat[0, 0] - heat[0, 1]).abs().max() > 1e-3
    assert (heat[0, 0, 0] - heat[0, 0, 1]).abs().max() > 1e-3  # Thing and place.


def test_padding_of_queries_does_not_matter(model):
    pictures = pictures_of(model, FRONT)
    ids, valid = texts([5, 6, 7])
    longer, longer_valid = texts([5, 6, 7], length=9)
    longer[~longer_valid] = 11
    (short,) = model.ground(pictures, ids[None], valid[None])
    (padded,) = model.ground(pictures, longer[None], longer_valid[None])
    torch.testing.assert_close(short, padded)


def test_texts_are_cut(model):
    most = model.config.grounding.max_query_tokens
    pictures = pictures_of(model, FRONT)
    ids, valid = texts([5] * most, [5] * most + [6, 7])
    cut, whole = model.ground(pictures, ids[None], valid[None])[0][0]
    assert torch.equal(cut, whole)


def test_a_picture_without_a_query_hides_its_token(model):
    pictures = pictures_of(model, FRONT, BACK, FRONT)
    found = model.with_points(pictures, *texts([5, 6], [5, 6], []))
    assert found.tokens.shape[1] == pictures.tokens.shape[1] + 1
    assert found.valid[:, 0].tolist() == [True, True, False]
    assert torch.equal(found.valid[:, 1:], pictures.valid)
    assert torch.equal(found.tokens[:, 1:], pictures.tokens)
    assert found.maps is pictures.maps


def test_pictures_of_one_size_need_no_mask_if_all_have_a_query(model):
    pictures = pictures_of(model, FRONT, FRONT)
    assert model.with_points(pictures, *texts([5], [6])).valid is None
    nowhere = model.with_points(pictures, *texts([], [], length=2))
    assert nowhere.valid.tolist() == [[False] + [True] * 8] * 2
    partly = model.with_points(pictures, *texts([5], []))
    assert partly.valid.tolist() == [[True] * 9, [False] + [True] * 8]


def test_a_token_is_that_of_its_picture_alone(model):
    pictures = pictures_of(model, BACK, FRONT)
    found = model.with_points(pictures, *texts([5, 6], [7]))
    for row in range(2):
        alone = Pictures(pictures.tokens[row, None], None, tuple(maps_of(pictures, row)))
        ids, valid = texts([5, 6], [7])
        wanted = model.with_points(alone, ids[row, None], valid[row, None])
        torch.testing.assert_close(found.tokens[row, 0], wanted.tokens[0, 0])


def test_what_is_not_seen_says_nothing_of_places(model):
    """Heat maps with their peaks elsewhere, of which nothing is seen, give one token."""
    (maps,) = pictures_of(model, FRONT).maps
    one = torch.tensor([0])
    logits = torch.full((1, POINTS, 12 * 24 + 1), -30.0)
    logits[..., -1] = 30.0
    other = logits.clone()
    logits[..., 5], other[..., 200] = -20.0, -20.0
    tokens = [model.grounding.tokens(maps, one, each) for each in (logits, other)]
    torch.testing.assert_close(tokens[0], tokens[1])
    logits[..., -1] = other[..., -1] = -30.0
    tokens = [model.grounding.tokens(maps, one, each) for each in (logits, other)]
    assert (tokens[0] - tokens[1]).abs().max() > 1e-3


def test_no_gradient_reaches_the_heat_maps_through_points(model):
    model.zero_grad()
    pictures = pictures_of(model, FRONT, BACK)
    model.with_points(pictures, *texts([5, 6], [7])).tokens[:, 0].square().sum().backward()
    reached = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    model.zero_grad()
    head = {name for name in reached if name.startswith("grounding.")}
    assert head == {
        f"grounding.point_{end}.{kind}" for end in ("in", "out") for kind in ("weight", "bias")
    }
    assert "language.embedding.weight" not in reached  # The text is read for the heat maps only.
    assert "vision.halve_1.weight" in reached  # By what the coarse map holds at the points.
