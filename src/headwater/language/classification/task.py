"""Text classification: which class, or which labels, does a text or a pair of texts have?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from headwater.data.fields import Text, TextInput, find_text
from headwater.data.records import Records
from headwater.data.traits import Traits
from headwater.errors import SettingError
from headwater.language.augmentation import altered
from headwater.language.traits import text_traits
from headwater.run import Run
from headwater.transfer.classification import Classification


class TextClassification(Classification):
    """Names the class of texts or text pairs, in any language.

    Example:
        >>> texts = [f"a {word} film, number {n}" for n in range(20) for word in ("good", "bad")]
        >>> app = TextClassification("tfidf-logistic").fit({"text": texts, "label": ["+", "-"] * 20})
        >>> app.predict(["so good", "", "so bad"]).labels
        ['+', None, '-']
    """

    task: ClassVar[str] = "text-classification"
    input_setting: ClassVar[str] = "text"
    alterations: ClassVar[tuple[str, ...]] = ("word-dropout", "word-swap")

    def find_input(self, records: Records, taken: tuple[str, ...]) -> Text:
        columns = self.settings.text or (find_text(records, taken),)
        if len(columns) > 2:
            raise SettingError(
                "A text is one column, a pair two", where="--text", got=columns, fix="Name one or two columns."
            )
        for column in columns:
            records.column(column)
        return Text(columns)

    def augment(self, values: Sequence[TextInput], method: str, draw: int, run: Run) -> list[TextInput | None]:
        return altered(values, method, draw, run, str(self.model_name) if self.strategy else None)

    def traits(self, values: Sequence[TextInput]) -> Traits:
        return text_traits(values)
