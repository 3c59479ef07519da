"""Folders, archives and files of annotated pictures: which format they are in."""

from __future__ import annotations

from pathlib import Path

from headwater.data.annotations import Annotations
from headwater.data.coco import CocoAnnotations
from headwater.data.trees import Tree
from headwater.data.voc import VocAnnotations
from headwater.data.yolo_labels import YoloAnnotations


def annotations_in(tree: Tree) -> Annotations | None:
    """The annotations of the pictures of a folder or archive; None where there are none.

    Raises:
        DataError: there are some, and what says how to read them all is damaged.
    """
    if not tree.pictures:
        return None
    for kind in (CocoAnnotations, VocAnnotations, YoloAnnotations):
        found = kind.found_in(tree)
        if found is not None:
            return found
    return None


def annotations_of(path: Path) -> Annotations:
    """The annotations that a file of JSON holds by itself.

    Raises:
        DataError: it holds none, or is damaged.
    """
    return CocoAnnotations.of_file(path)
