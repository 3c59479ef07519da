"""What is known of the data behind a model, in sentences that claim no more than is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headwater.application import Application

_SHOWN = 8


def knowledge(application: Application, *, alone: bool) -> dict[str, Any]:
    """The section `origin` of a comparison: the names of the data behind the model, and sentences for the reader.

    Args:
        application: whose model it is; it need not be fitted.
        alone: whether no other data set came, so that the reader asks how to measure a distance.
    """
    model, found = application.model_name, application.origin()
    if found is None:
        sentences = [f"{model} is a basic model: no data stands behind it before it learns from yours."]
        return {"data": [], "sentences": sentences if alone else []}
    named = ", ".join(found.data[:_SHOWN])
    more = f" and {len(found.data) - _SHOWN} more" if len(found.data) > _SHOWN else ""
    if found.of_run:
        said = f"{model} was adapted on {named}." if named else f"{model} does not say on which data it was adapted."
    elif named:
        said = f"The card of {model} names {_sets(len(found.data))} that it learnt from: {named}{more}."
    else:
        said = f"Nothing that came with {model} names the data that it learnt from."
    sentences = [said]
    if alone:
        sentences.append(f"How far your data is from it is not guessed. {_way(str(model), found.data, found.of_run)}")
    return {"data": list(found.data), "told_by": found.told_by, "sentences": sentences}


def _sets(count: int) -> str:
    return "1 data set" if count == 1 else f"{count} data sets"


def _way(model: str, data: tuple[str, ...], of_run: bool) -> str:  # noqa: FBT001
    known = data[0] if of_run and data else "SOURCE"
    which = "" if of_run and data else ", with rows of such data as SOURCE"
    return f"To measure: headwater compare {known} TARGET --model {model}{which}."
