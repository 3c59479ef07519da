"""Pictures and their masks in folders: which of them belong together, and in which part of the data they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from headwater.data.layouts import PARTS, Name

_PICTURES: Final = (
    "image", "images", "img", "imgs", "jpegimages", "picture", "pictures", "photo", "photos", "frame", "frames",
    "leftimg8bit", "rgb",
)  # fmt: skip
_MASKS: Final = (
    "mask", "masks", "label", "labels", "annot", "annots", "annotation", "annotations", "segmentation", "segmentations",
    "segmentationclass", "seg", "gt", "gtfine", "groundtruth", "ground_truth", "labelids", "gtfine_labelids",
)  # fmt: skip
_BEHIND: Final = (*_MASKS, "l", "p")
"""What may stand behind the name of a mask: some say no more than one letter."""


def _any(words: Sequence[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_FOLDER: Final = re.compile(
    rf"(?:(?P<part>{_any(tuple(PARTS))})[ _-]?)?(?P<role>{_any((*_PICTURES, *_MASKS))})?", re.IGNORECASE
)
_MASK_NAME: Final = re.compile(rf"(?P<stem>.+?)(?P<ending>[_-](?:{_any(_BEHIND)}))", re.IGNORECASE)
_PICTURE_NAME: Final = re.compile(rf"(?P<stem>.+?)(?P<ending>[_-](?:{_any(_PICTURES)}))", re.IGNORECASE)
_NAMED_ALONE: Final = (
    "this is named as the masks here are, and no picture of its name without {ending!r} stands beside it: "
    "name it otherwise if it is a picture"
)
_SECOND: Final = "this is named as the masks here are, and its picture has another mask, {taken!r}"
_SAME_NAME: Final = (
    "{taken!r} beside it has the same name but for its ending, and only one of the two can belong to a pair"
)
_RENDERED: Final = re.compile(r".+_gt(?:Fine|Coarse)_(?:color|instanceIds|labelTrainIds)\.\w+", re.IGNORECASE)
"""What Cityscapes has beside every mask of its own: the same in colours, by thing, by other numbers."""
_SETS: Final = re.compile(r"(?:.*/)?ImageSets/Segmentation/(?P<part>\w+)\.txt")

Key = tuple[str, ...]
"""What a picture and its mask have in common: the folders that are neither part nor role, and the stem."""


@dataclass(frozen=True)
class Pair:
    """A picture and its mask, one of which may be missing, and the part of the data that their folders name.

    Attributes:
        alone: why the one there is has no other, where more is known than that it has none.
    """

    picture: Name | None
    mask: Name | None
    part: str | None
    alone: str = field(default="", repr=False)

    @property
    def lack(self) -> str | None:
        """Why the pair cannot be used; None where both are there."""
        if self.mask is None:
            return self.alone or "this picture has no mask of its name"
        return (self.alone or "this mask has no picture of its name") if self.picture is None else None


@dataclass(frozen=True)
class _Place:
    """What the folders and the name of a file say of it."""

    key: Key
    part: str | None
    role: str | None
    alone: str = ""


_Found = dict[Key, tuple[Name, _Place]]
"""Files by their keys."""


def paired(names: Sequence[Name], sets: Mapping[str, Sequence[str]] | None = None) -> list[Pair] | None:
    """Pictures with their masks, by name; None where the folders hold no such pairs.

    Folders say what is in them: `images` and `masks` (or `image` and `label`, `img` and `annot`, `JPEGImages` and
    `SegmentationClass` ...), `train` and `trainannot`, `train/images` and `train/masks`; or the file says it, as
    `0001_mask.png` beside `0001.jpg` does.

    Args:
        names: where each image stands.
        sets: of a Pascal VOC data set, for each part the stems that are in it: others are none of the data.

    Example:
        >>> paired([("images", "1.jpg"), ("masks", "1.png")])
        [Pair(picture=('images', '1.jpg'), mask=('masks', '1.png'), part=None)]
        >>> paired([("ants", "1.jpg"), ("bees", "1.jpg")]) is None
        True
    """
    pictures, masks = _sorted_out(names)
    both = pictures.keys() & masks.keys()
    if not both:
        return None
    part_of = {stem: part for part, stems in (sets or {}).items() for stem in stems}
    keys = sorted(pictures.keys() | masks.keys())
    if part_of:
        keys = [key for key in keys if key[-1] in part_of]
    divided = bool(part_of) or all(place.part for found in (pictures, masks) for _, place in found.values())
    pairs = []
    for key in keys:
        (picture, seen), (mask, known) = pictures.get(key, (None, None)), masks.get(key, (None, None))
        place = seen or known
        part = part_of.get(key[-1]) or (place.part if place else None)
        pairs.append(Pair(picture, mask, part if divided else None, place.alone if place else ""))
    return pairs


def without_masks(names: Sequence[Name]) -> tuple[list[Name], dict[Name, str]]:
    """The names that are of pictures, where folders hold pictures and their masks; all of them where they do not.

    Returns:
        The names, and for those among them that may be of a mask, by nothing but the name, what is the matter.

    Example:
        >>> without_masks([("images", "1.jpg"), ("images", "2.jpg"), ("masks", "1.png"), ("masks", "3.png")])
        ([('images', '1.jpg'), ('images', '2.jpg')], {})
    """
    pictures, masks = _sorted_out(names)
    if not pictures.keys() & masks.keys():
        return list(names), {}
    # What has a picture is a mask for certain; what has none may be a picture that is called as masks are.
    doubtful = {
        name: place.alone
        for key, (name, place) in masks.items()
        if place.alone and place.role is None and _short(key, _MASK_NAME) not in pictures
    }
    no_pictures = {name for name, _ in masks.values()} - doubtful.keys()
    told = any(_place(name).role == "picture" for name in names)
    wanted = ("picture",) if told else (None,)
    return [name for name in names if name not in no_pictures and _place(name).role in wanted], doubtful


def set_of(path: str) -> str | None:
    """The part whose list of names a file of Pascal VOC is; None for any other file.

    Example:
        >>> set_of("VOC2012/ImageSets/Segmentation/val.txt"), set_of("ImageSets/Segmentation/trainval.txt")
        ('valid', None)
    """
    found = _SETS.fullmatch(path)
    return PARTS.get(found["part"].lower()) if found else None


def _sorted_out(names: Sequence[Name]) -> tuple[_Found, _Found]:
    """The pictures and the masks, each by its key."""
    by_folder = [(name, _place(name)) for name in names if not _RENDERED.fullmatch(name[-1])]
    masks = _by_key([(name, place) for name, place in by_folder if place.role == "mask"])
    told = any(place.role == "picture" for _, place in by_folder)
    # Where folders say which files are pictures, those that stand elsewhere are none of the data.
    wanted = ("picture",) if told else ("picture", None)
    pictures = _by_key([(name, place) for name, place in by_folder if place.role in wanted])
    return _matched(pictures, masks) if masks else _named_beside(pictures)


def _by_key(places: Sequence[tuple[Name, _Place]]) -> _Found:
    """Files by their keys; of two that differ in no more than `.png` and `.jpg`, the second is one alone."""
    found: _Found = {}
    for name, place in places:
        if place.key in found:
            taken = found[place.key][0][-1]
            found[*place.key[:-1], name[-1]] = name, replace(place, alone=_SAME_NAME.format(taken=taken))
        else:
            found[place.key] = name, place
    return found


def _matched(pictures: _Found, masks: _Found) -> tuple[_Found, _Found]:
    """The same under keys that fit, where masks have something behind their names that their pictures lack."""
    found = {}
    shorter = {_short(key, _PICTURE_NAME): key for key in pictures}
    for key, mask in masks.items():
        short = _short(key, _MASK_NAME)
        fits = next((one for one in (key, short, shorter.get(short)) if one in pictures), key)
        found[key if fits is None else fits] = mask
    return pictures, found


def _named_beside(files: _Found) -> tuple[_Found, _Found]:
    """Pictures, and the masks that stand in their folder and are told by their name alone.

    What has an ending that masks have here, and no picture to itself, is a mask alone and no picture: whoever takes it
    for one learns or answers for a mask.
    """
    short = {key: _short(key, _MASK_NAME) for key in files}
    masks = {key: of for key, of in short.items() if of != key and of in files}
    taken = {of: key for key, of in masks.items()}
    endings = {_ending(key) for key in masks}
    pictures, found = {}, {}
    for key, (name, place) in files.items():
        own = taken.get(short[key])
        if own == key:
            found[short[key]] = name, place
        elif key in masks and own is not None:
            found[key] = name, replace(place, alone=_SECOND.format(taken=files[own][0][-1]))
        elif short[key] != key and key not in taken and _ending(key) in endings:
            found[key] = name, replace(place, alone=_NAMED_ALONE.format(ending=_ending(key)))
        else:
            pictures[key] = name, place
    return pictures, found


def _ending(key: Key) -> str:
    """What stands behind the name of a mask; nothing behind that of another file."""
    found = _MASK_NAME.fullmatch(key[-1])
    return found["ending"].lower() if found else ""


def _short(key: Key, behind: re.Pattern[str]) -> Key:
    found = behind.fullmatch(key[-1])
    return (*key[:-1], found["stem"]) if found else key


def _place(name: Name) -> _Place:
    rest: list[str] = []
    part = role = None
    for folder in name[:-1]:
        found = _FOLDER.fullmatch(folder)
        if not folder or found is None:
            rest.append(folder)
            continue
        if found["part"]:
            part = PARTS[found["part"].lower()]
            rest.append(part)
        if found["role"]:
            role = "mask" if found["role"].lower() in _MASKS else "picture"
    stem = name[-1].rpartition(".")[0] or name[-1]
    return _Place((*rest, stem), part, role)
