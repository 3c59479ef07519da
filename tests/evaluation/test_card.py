import pytest
import yaml

from headwater.evaluation.card import model_card
from headwater.evaluation.intervals import Estimate
from headwater.evaluation.report import Report


def front_matter(card):
    return yaml.safe_load(card.split("---\n")[1])


def test_the_front_matter_is_what_hubs_read(report):
    head = front_matter(model_card(report, name="News topics", language="en"))
    assert head["pipeline_tag"] == "text-classification"
    assert head["license"] == "unknown"
    assert head["language"] == "en"
    result = head["model-index"][0]["results"][0]
    accuracy = next(metric for metric in result["metrics"] if metric["type"] == "accuracy")
    assert accuracy["value"] == round(report.score.value, 4)


@pytest.mark.parametrize(
    ("model", "strategy", "base"),
    [
        ("minilm", "probe", "sentence-transformers/all-MiniLM-L6-v2"), ("google-bert/bert-base-uncased", "lora", None),
        ("tfidf-svm", None, None), ("my-run", "full", None),
    ],
)  # fmt: skip
def test_the_base_model_is_named_by_its_hub_id(model, strategy, base):
    head = front_matter(model_card(Report("t", model, {"accuracy": Estimate(0.9)}, strategy=strategy)))
    assert head.get("base_model") == (model if "/" in model else base)


def test_the_card_tells_use_data_results_limits_and_command(report):
    card = model_card(report)
    for heading in ("Intended use", "Data", "Results", "Limits", "How to run"):
        assert f"## {heading}" in card
    assert report.gain["sentence"] in card
    assert str(report.score) in card
    assert report.provenance["command"] in card
    assert "12 rows" in card
    assert "temperature 1.31" in card


def test_altered_copies_are_counted():
    copies = {"word-dropout": 1200, "word-swap": 1199}
    card = model_card(Report("t", "m", {"accuracy": Estimate(0.9)}, augmentation={"copies": copies}))
    assert "altered copies of training rows, to learn from: 1,200 by word-dropout, 1,199 by word-swap" in card


def test_weak_classes_are_named():
    rows = [{"class": "fine", "f1": {"value": 0.9}}, {"class": "rare|one", "f1": {"value": 0.3}}]
    card = model_card(Report("t", "m", {"accuracy": Estimate(0.9)}, per_class=rows))
    assert "worse than on average on: `rare\\|one`" in card


def test_what_was_not_measured_is_left_out_of_the_front_matter():
    head = front_matter(model_card(Report("t", "m", {"accuracy": Estimate(float("nan")), "mcc": Estimate(0.5)})))
    assert head["metrics"] == ["mcc"]


def test_text_of_the_user_brings_no_markup():
    report = Report("t", "m", {"accuracy": Estimate(0.9)}, per_class=[{"class": "a\n# b <i> `x`"}])
    assert "`a # b &lt;i> 'x'`" in model_card(report)


def test_the_card_of_an_image_task_predicts_images():
    card = model_card(Report("image-classification", "resnet18", {"accuracy": Estimate(0.9)}))
    assert "headwater predict THIS_FOLDER new_images/ --to predictions.csv" in card
    assert '.predict(["new_images/0013.jpg"])' in card


def test_the_card_of_an_agent_speaks_of_its_environment_and_of_episodes():
    told = {"rows": {"train": 6000, "valid": 100, "test": 50}, "audit": {"environment": "CartPole-v1"}}
    card = model_card(Report("control", "dqn", {"return": Estimate(188.8)}, episodes={"count": 50}, **told))
    head = front_matter(card)
    assert head["pipeline_tag"] == "reinforcement-learning"
    assert head["tags"] == ["headwater", "control", "reinforcement-learning", "CartPole-v1"]
    result = head["model-index"][0]["results"][0]
    assert result["task"] == {"type": "reinforcement-learning"}
    assert result["dataset"] == {"name": "CartPole-v1", "type": "CartPole-v1", "split": "test"}
    assert "of `dqn` to control, in the environment `CartPole-v1`." in card
    assert "- train: 6,000 steps to learn from\n- valid: 100 episodes to choose by\n- test: 50 test episodes" in card
    assert "headwater play THIS_FOLDER --video episode.mp4" in card
    assert "rows" not in card
