"""Image classification: which class, or which labels, does an image have?"""

from __future__ import annotations

from typing import Any, ClassVar

from headwater.transfer.classification import Classification
from headwater.vision.reading import ReadsImages
from headwater.vision.sheet import named


class ImageClassification(ReadsImages, Classification):
    """Names the class of images: of a folder, an archive, a manifest, or in memory.

    Example:
        >>> import numpy as np
        >>> shades = np.linspace(0, 255, 40).astype(np.uint8)
        >>> images = [np.full((8, 8), shade) for shade in shades]
        >>> labels = ["dark" if shade < 128 else "bright" for shade in shades]
        >>> app = ImageClassification("pixels-logistic").fit({"image": images, "label": labels})
        >>> app.predict([images[0], None, images[-1]]).labels
        ['dark', None, 'bright']
    """

    task: ClassVar[str] = "image-classification"

    def story(self) -> dict[str, Any]:
        return {**super().story(), "seen": named(self.trace.seen, self.target.classes)}
