"""Pictures with captions, questions and boxes (WD): JSON lines beside pictures, or tar shards.

A folder holds `*.jsonl` files, each line of which names a picture beside it:

    {"image": "1.jpg", "kind": "caption", "answer": "a plate beside a sink"}
    {"image": "1.jpg", "kind": "question", "question": "where is the cup?", "answer": "left"}
    {"image": "1.jpg", "kind": "boxes", "boxes": [{"label": "cup", "box": [0.1, 0.2, 0.3, 0.5]}]}

or `*.tar` shards in the layout of WebDataset: `KEY.jpg` (or .png, .jpeg) followed by `KEY.json`
with the same content without `image`, or a list of such. Boxes are x_min, y_min, x_max, y_max,
fractions of the picture. Prompts are PaliGemma's task prefixes (arXiv 2407.07726, section 3.2).
"""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pi05_ros.cameras.damage import damage_of
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.errors import Pi05Error
from pi05_ros.model.normalization import NormStats
from pi05_ros.training.objective.batch import TrainingSample
from pi05_ros.training.recipes.recipe import Kind
from pi05_ros.training.sources.encoding import Encoder

_PICTURES = (".jpg", ".jpeg", ".png")
_KEYS = {
    "caption": {"kind", "answer"},
    "question": {"kind", "question", "answer"},
    "boxes": {"kind", "boxes"},
}


class WebError(Pi05Error):
    """A file of web samples that cannot be used."""


@dataclass(frozen=True)
class WebEntry:
    """One question about one picture, and where the picture is."""

    file: Path  # The picture, or the shard that holds it.
    offset: int  # First byte in the file.
    size: int  # [byte]
    place: str  # For messages: file and line, or shard and key.
    kind: Literal["caption", "question", "boxes"]
    question: str = ""
    answer: str = ""
    boxes: tuple[tuple[str, float, float, float, float], ...] = ()  # Label and corners.

    @property
    def prompt(self) -> str:
        """The whole prompt."""
        if self.kind == "caption":
            return "caption en\n"
        if self.kind == "question":
            return f"answer en {self.question}\n"
        labels = sorted({box[0] for box in self.boxes})
        return f"detect {' ; '.join(labels)}\n"


class WebSource:
    """Samples of folders and shards.

    Args:
        name: In the recipe.
        paths: Folders, `.jsonl` files or `.tar` shards.
        encoder: Of the model.

    Raises:
        WebError: A file cannot be read, or a line is not valid.
    """

    kind: Kind = "WD"

    def __init__(self, name: str, paths: Sequence[str], encoder: Encoder) -> None:
        self.name = name
        self._encoder = encoder
        self._entries = [entry for path in paths for entry in _entries(Path(path).expanduser())]
        boxed = [entry for entry in self._entries if entry.boxes]
        # What is known of a picture, for captions and questions about it too.
        self._known = {(entry.file, entry.offset): entry.boxes for entry in boxed}
        found = Counter(box[0] for entry in boxed for box in entry.boxes)
        self._counts = dict(sorted(found.items()))  # How often each label occurs.

    @property
    def statistics(self) -> Mapping[str, NormStats]:
        """See Source: there is no robot."""
        return {}

    def __len__(self) -> int:
        return len(self._entries)

    def contents(self) -> list[str]:
        """See Source."""
        return [
            f"{e.file.name} {e.offset} {e.size} {e.kind} {e.question!r} {e.answer!r} {e.boxes}"
            for e in self._entries
        ]

    def where(self, index: int) -> str:
        """See Source."""
        return self._entries[index].place

    def broken(self, most: int) -> tuple[tuple[str, ...], int]:
        """Decode pictures spread evenly over the entries.

        Args:
            most: Number of entries that are tried, at most.

        Returns:
            The errors, which name their entries, and the number of entries that were tried.
        """
        errors = []
        tried = np.unique(np.linspace(0, len(self) - 1, min(most, len(self))).astype(np.int64))
        for index in tried:
            try:
                self._picture(self._entries[index])
            except WebError as error:
                errors.append(str(error))
        return tuple(errors), len(tried)

    def sample(self, index: int, draw: np.random.Generator, augment: bool) -> TrainingSample:
        """See Source.

        Raises:
            WebError: The picture cannot be decoded.
        """
        entry = self._entries[index]
        picture, letterbox = self._picture(entry)
        known = entry.boxes or self._known.get((entry.file, entry.offset), ())
        boxes = [(label, *letterbox.move((x0, y0, x1, y1))) for label, x0, y0, x1, y1 in known]
        return self._encoder.web(
            picture,
            entry.prompt,
            entry.answer,
            boxes,
            draw if augment else None,
            says_boxes=bool(entry.boxes),
            counts=self._counts,
        )

    def _picture(self, entry: WebEntry) -> tuple[np.ndarray, _Fitted]:
        import cv2

        try:
            with entry.file.open("rb") as file:
                file.seek(entry.offset)
                data = file.read(entry.size)
        except OSError as error:
            raise WebError(f"{entry.place}: cannot be read ({error.strerror})") from error
        problem = damage_of(data) if data else "it is empty"
        found = None if problem else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if found is None:
            raise WebError(f"{entry.place}: is no whole JPEG or PNG ({problem or 'unknown'})")
        rgb = cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
        height, width = self._encoder.config.picture_size
        box = Letterbox.fit(rgb.shape[1], rgb.shape[0], width, height)
        return box.apply(rgb), _Fitted(box)


@dataclass(frozen=True)
class _Fitted:
    """Where a letterboxed picture is in the model's."""

    box: Letterbox

    def move(
        self, corners: tuple[float, float, float, float]
    ) -> tuple[float, float, float, float]:
        """Return fractions of the picture as fractions of the model's."""
        x0, y0, x1, y1 = corners
        b = self.box
        return (
            (b.x + x0 * b.width) / b.target_width,
            (b.y + y0 * b.height) / b.target_height,
            (b.x + x1 * b.width) / b.target_width,
            (b.y + y1 * b.height) / b.target_height,
        )


def _entries(path: Path) -> Iterator[WebEntry]:
    """Yield the entries of a folder, a file of lines or a shard.

    Raises:
        WebError: There are none, or one is not valid.
    """
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix in (".jsonl", ".tar"))
        if not files:
            raise WebError(f"{path}: wanted *.jsonl files or *.tar shards, found none")
        for file in files:
            yield from _entries(file)
    elif path.suffix == ".tar":
        yield from _of_shard(path)
    elif path.suffix == ".jsonl" and path.exists():
        yield from _of_lines(path)
    else:
        raise WebError(f"{path}: wanted a folder, a .jsonl file or a .tar shard")


def _of_lines(path: Path) -> Iterator[WebEntry]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        place = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except ValueError as error:
            raise WebError(f"{place}: is not JSON ({error})") from error
        if not isinstance(content, dict) or not isinstance(content.get("image"), str):
            raise WebError(f"{place}: wanted a mapping with 'image', the name of a picture")
        picture = path.parent / content.pop("image")
        if not picture.is_file():
            raise WebError(f"{place}: there is no picture {picture}")
        yield _entry(content, picture, 0, picture.stat().st_size, place)


def _of_shard(path: Path) -> Iterator[WebEntry]:
    pictures: dict[str, tuple[int, int]] = {}
    try:
        with tarfile.open(path, "r:") as shard:
            for member in shard:
                stem, dot, suffix = member.name.rpartition(".")
                if not member.isfile():
                    continue
                if f"{dot}{suffix}".lower() in _PICTURES:
                    pictures[stem] = member.offset_data, member.size
                elif suffix == "json":
                    file = shard.extractfile(member)
                    assert file is not None  # It is a regular file.
                    yield from _of_json(path, stem, file.read(), pictures)
    except (tarfile.TarError, OSError) as error:
        raise WebError(f"{path}: cannot be read as a tar shard ({error})") from error


def _of_json(
    path: Path, stem: str, data: bytes, pictures: Mapping[str, tuple[int, int]]
) -> Iterator[WebEntry]:
    place = f"{path}, key {stem}"
    if stem not in pictures:
        raise WebError(f"{place}: wanted a picture {stem}.jpg or .png before its .json")
    try:
        content = json.loads(data)
    except ValueError as error:
        raise WebError(f"{place}: is not JSON ({error})") from error
    for each in content if isinstance(content, list) else [content]:
        yield _entry(each, path, *pictures[stem], place)


def _entry(content: Any, file: Path, offset: int, size: int, place: str) -> WebEntry:
    """Check the content of one entry.

    Raises:
        WebError: It is not valid.
    """
    if not isinstance(content, dict) or content.get("kind") not in _KEYS:
        raise WebError(f"{place}: wanted 'kind' {', '.join(_KEYS)}")
    kind = content["kind"]
    if set(content) != _KEYS[kind]:
        raise WebError(
            f"{place}: wanted the keys {', '.join(sorted(_KEYS[kind]))}, found "
            f"{', '.join(sorted(content))}"
        )
    texts = {key: content[key] for key in ("question", "answer") if key in content}
    for key, text in texts.items():
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            raise WebError(f"{place}: wanted one line of text as '{key}', found {text!r}")
    boxes = tuple(_box(box, place) for box in content.get("boxes", ()))
    if kind == "boxes" and not boxes:
        raise WebError(f"{place}: wanted at least one box")
    return WebEntry(file, offset, size, place, kind, boxes=boxes, **texts)


def _box(content: Any, place: str) -> tuple[str, float, float, float, float]:
    try:
        label, corners = content["label"], [float(value) for value in content["box"]]
        x0, y0, x1, y1 = corners
    except (KeyError, TypeError, ValueError) as error:
        raise WebError(
            f'{place}: wanted {{"label": text, "box": [x_min, y_min, x_max, y_max]}}, found '
            f"{content!r}"
        ) from error
    inside = all(0.0 <= corner <= 1.0 for corner in corners) and x0 < x1 and y0 < y1
    if not inside or not isinstance(label, str) or set("<;:\n") & set(label) or not label.strip():
        raise WebError(
            f"{place}: wanted corners from 0 to 1 in order and a label without < ; : or line "
            f"breaks, found {content!r}"
        )
    return label, x0, y0, x1, y1
