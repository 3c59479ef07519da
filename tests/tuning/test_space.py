"""What is searched: derived from the settings, without what is fixed or not read."""

from __future__ import annotations

import pytest
from tests.tuning.searches import Fixed

from headwater.errors import SettingError
from headwater.options import options_of
from headwater.ranges import Search
from headwater.settings import STRATEGIES, Settings, TuneSettings
from headwater.tuning.asked import Asked
from headwater.tuning.dimension import Dimension, Point, range_of
from headwater.tuning.space import Space


def space(model: str | list[str], **settings: object) -> Space:
    return Asked.of("text-classification", "rows.csv", model, settings).space


def names(found: Space, model: str) -> set[str]:
    return {dimension.option.name for dimension in found.dimensions[model]}


TRAINED = {"epochs", "learning_rate", "batch_size", "warmup", "weight_decay"}


def test_a_network_is_searched_over_its_training_and_its_own_settings() -> None:
    found = space("lstm")
    own = {"min_count", "embedding", "dropout", "token_dropout", "hidden", "layers", "bidirectional"}
    assert names(found, "lstm") == TRAINED | own
    assert found.planned == [Point("lstm")]


def test_a_foundation_is_searched_over_strategies_and_what_each_reads() -> None:
    found = space("minilm")
    assert names(found, "minilm") == TRAINED | {"strategy", "last_layers", "lora_rank"}
    read = {}
    for share in (0.0, 1 / 3, 2 / 3, 1.0):
        point = found.draw(Fixed(share), rows=1000)
        read[point.values["strategy"]] = set(point.values) - {"strategy"}
    assert read == {
        "lora": TRAINED | {"lora_rank"},
        "last-layers": TRAINED | {"last_layers"},
        "full": TRAINED,
        "probe-then-full": TRAINED,
    }
    assert found.planned == [Point("minilm"), Point("minilm", {"strategy": "probe"})]


def test_a_strategy_that_is_fixed_is_of_the_models_that_have_strategies() -> None:
    found = space(["minilm", "lstm"], strategy="lora", lora_rank=4)
    settings = {model: found.request(Point(model)).settings for model in ("minilm", "lstm")}
    assert {model: (one.strategy, one.lora_rank) for model, one in settings.items()} == {
        "minilm": ("lora", 4),
        "lstm": ("auto", Settings().lora_rank),
    }


def test_every_strategy_that_is_one_and_has_validation_rows_is_tried() -> None:
    found = space("minilm")
    drawn = next(one for one in found.dimensions["minilm"] if one.name == "strategy").choices
    assert {*drawn, "probe"} == set(STRATEGIES) - {"auto", "few-shot"}
    assert "once: probe" in next(row["range"] for row in found.described() if row["name"] == "strategy")


def test_rates_and_epochs_are_multiples_of_what_the_strategy_takes() -> None:
    found = space("minilm", strategy="full", batch_size=20)
    middle = found.draw(Fixed(0.5), rows=2000)
    assert (middle.values["learning_rate"], middle.values["epochs"]) == (5e-5, 3)
    assert found.draw(Fixed(1.0), rows=2000).values["learning_rate"] == 5e-4
    assert found.draw(Fixed(1.0), rows=200).values["epochs"] == 12  # few rows are passed over six times already
    assert space("transformer").draw(Fixed(0.5), rows=200).values["learning_rate"] == 1e-3


def test_what_is_set_by_hand_leaves_the_space() -> None:
    found = space("cnn", learning_rate=0.002, dropout=0.5, seed=7)
    assert names(found, "cnn") == {
        "epochs", "batch_size", "warmup", "weight_decay", "min_count", "embedding", "token_dropout", "filters",
    }  # fmt: skip
    request = found.request(found.draw(Fixed(0.5), rows=100))
    assert (request.settings.learning_rate, request.settings.seed) == (0.002, 7)
    assert request.model_settings["dropout"] == 0.5
    assert request.model_settings["filters"] == 144


def test_a_fixed_strategy_leaves_what_it_reads() -> None:
    assert names(space("minilm", strategy="lora"), "minilm") == TRAINED | {"lora_rank"}
    assert names(space("lstm", strategy="probe"), "lstm") > TRAINED  # a network has no strategies


def test_the_defaults_have_their_place_in_the_space() -> None:
    found = space("cnn")
    places = found.defaults(rows=1000)
    assert places == {
        "batch_size": 32, "warmup": 0.1, "weight_decay": 0.01, "min_count": 2, "embedding": 128, "dropout": 0.5,
        "token_dropout": 0.1, "filters": 100, "epochs": 1.0, "learning_rate": 1.0,
    }  # fmt: skip
    asked = Fixed(0.5)
    found.tell_defaults(asked, places)
    assert set(asked.asked) == set(places)


def test_defaults_outside_of_a_range_have_no_place_there() -> None:
    places = space("cnn", search={"batch_size": [64, 128], "learning_rate": [1e-4, 1e-2]}).defaults(rows=1000)
    assert "batch_size" not in places
    assert places["learning_rate"] == 2e-3


def test_a_setting_without_a_default_is_searched_where_it_is_asked_for() -> None:
    found = space("cnn", search={"max_length": [16, 64], "patience": [2, 8]})
    assert {"max_length", "patience"} <= set(found.draw(Fixed(0.5), rows=1000).values)
    assert not {"max_length", "patience"} & set(found.defaults(rows=1000))
    assert "strategy" not in space("minilm").defaults(rows=1000)


def test_several_models_are_one_more_choice() -> None:
    found = space("lstm, cnn,tfidf-svm", hidden=64)
    assert found.planned == [Point("lstm", {}, drawn_model=True), Point("tfidf-svm", {}, drawn_model=True)]
    assert found.drawn == ("lstm", "cnn")
    asked = Fixed(1.0)
    assert found.draw(asked, rows=100).model == "cnn"
    assert {"model", "cnn.dropout", "learning_rate"} <= set(asked.asked)
    assert "lstm.hidden" not in {row["name"] for row in found.described()}
    assert found.requests["lstm"].model_settings == {"hidden": 64}
    assert found.requests["cnn"].model_settings == {}
    assert found.defaults(rows=100)["model"] == "lstm"


@pytest.mark.parametrize(
    ("model", "settings"), [("tfidf-svm", {}), ("minilm", {"strategy": "probe"}), (["tfidf-svm"], {"seed": 3})]
)
def test_nothing_to_search_is_a_sentence(model: str, settings: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=r"There is nothing to search: with what is fixed, this model is always the"):
        space(model, **settings)


def test_a_setting_that_no_model_has_is_refused() -> None:
    with pytest.raises(SettingError, match=r"no setting of this name. Got 'hiden'.*Did you mean hidden\?"):
        space("lstm,cnn", hiden=3)
    with pytest.raises(SettingError, match=r"trials cannot have this value. Got 0"):
        space("lstm", trials=0)


def test_every_range_lies_within_the_limits_of_its_setting() -> None:
    found = [option for option in options_of(Settings) if option.search and option.search.low is not None]
    assert len(found) >= 7
    for option in found:
        if not option.search.of_own:
            assert option.limit.admits(option.search.low), option.name
            assert option.limit.admits(option.search.high), option.name
            assert option.search.low <= option.default <= option.search.high, option.name


def test_the_settings_of_a_search_are_named_nowhere_else() -> None:
    assert len({option.name for option in options_of(TuneSettings)}) == len(options_of(TuneSettings))


def test_a_value_is_rounded_and_stays_within_its_limit() -> None:
    known = {option.name: option for option in options_of(Settings)}
    rate = Dimension.of(known["learning_rate"], Search(0.1, 10_000, log=True, of_own=True))
    assert rate.draw(Fixed(1.0), own=0.5) == 10
    assert rate.draw(Fixed(0.123456), own=1e-3) == 0.000414
    assert Dimension.of(known["epochs"], Search(0.1, 1, of_own=True)).draw(Fixed(0.0), own=1) == 1


def test_a_range_of_ones_own_is_absolute() -> None:
    known = {option.name: option for option in options_of(Settings)}
    assert range_of(known["learning_rate"], 1e-5, 1e-3) == Search(
        1e-5, 1e-3, log=True, under=known["epochs"].search.under
    )
    assert range_of(known["clip"], 0.1, 50.0).log
    assert not range_of(known["clip"], 0.0, 5.0).log


def test_points_are_told_in_words() -> None:
    assert str(Point("cnn", {"dropout": 0.1}, drawn_model=True)) == "model cnn, dropout 0.1"
    assert str(Search(leave=("auto",))) == "all but auto"
