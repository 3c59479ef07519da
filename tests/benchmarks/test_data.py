"""The data sets in one shape: made here in small, in the formats they are collected in."""

import csv
import doctest
import gzip
import io
import json
from collections import Counter

import pytest

import data


def gz(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))


def table(rows):
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "WORK", tmp_path / "work")
    for part in ("train", "dev", "test"):
        gz(tmp_path / "sst2" / f"{part}.tsv.gz", f'a "{part}" film\t1\nso bad\t0\n')
    news = tmp_path / "ag_news_small"
    for part in ("train", "test"):
        gz(news / f"{part}.csv.gz", table([("4", f"Chips, {part}", "Faster."), ("1", "Vote", "Today.")]))
        posts = [
            {"text": f"From: x\n\n{part} body\n> old", "label": "sci"},
            {"text": "From: y\n\n> old", "label": "rec"},
        ]
        gz(tmp_path / "newsgroups20_subset" / f"{part}.jsonl.gz", "".join(json.dumps(post) + "\n" for post in posts))
    (news / "classes.txt").write_text("World\nSports\nBusiness\nSci/Tech\n")
    rows = [("label", "review"), *((str(row % 2), f"酒店{row}") for row in range(40)), ("0", " ")]
    gz(tmp_path / "chnsenticorp_htl" / "ChnSentiCorp_htl_all.csv.gz", "\ufeff" + table(rows))
    for domain in data.DOMAINS:
        reviews = [{"label": row % 2, "text": f"{domain} {row}"} for row in range(20)]
        gz(tmp_path / "amazon_multidomain" / f"{domain}.jsonl.gz", "".join(f"{json.dumps(row)}\n" for row in reviews))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sst2", [('a "train" film', "positive"), ("so bad", "negative")]),
        ("ag_news_small", [("Chips, train Faster.", "Sci/Tech"), ("Vote Today.", "World")]),
        ("newsgroups20", [("train body", "sci")]),
        ("newsgroups20_headers", [("From: x\n\ntrain body\n> old", "sci"), ("From: y\n\n> old", "rec")]),
    ],
)
def test_rows_of_a_set(folder, name, expected):
    assert list(zip(*data.read(data.prepare(name, folder).train), strict=True)) == expected


def test_hotels_are_split_class_by_class_without_the_empty_review(folder):
    hotels = data.prepare("chnsenticorp_htl", folder)
    (train, _), (test, labels) = data.read(hotels.train), data.read(hotels.test)
    assert (len(train), len(test), Counter(labels)) == (32, 8, {"negative": 4, "positive": 4})
    assert not set(train) & set(test)


@pytest.mark.parametrize("domain", data.DOMAINS)
def test_a_domain_of_amazon_is_split_class_by_class(folder, domain):
    reviews = data.prepare(f"amazon_{domain}", folder)
    (train, _), (test, labels) = data.read(reviews.train), data.read(reviews.test)
    assert (len(train), Counter(labels)) == (16, {"negative": 2, "positive": 2})
    assert all(text.startswith(domain) for text in train + test)


def test_only_sst2_brings_validation_rows(folder):
    assert [name for name in data.SETS if "valid" in data.prepare(name, folder).files] == ["sst2"]


def test_a_set_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(SystemExit, match="the data set sst2 is not here"):
        data.prepare("sst2", tmp_path)


def test_draws_repeat_for_a_seed_and_differ_between_seeds(tmp_path):
    source = data.write(((f"text {row}", "ab"[row % 2]) for row in range(100)), tmp_path / "train.csv")
    first, other = data.few_of(source, 8, 0), data.few_of(source, 8, 1)
    content = first.read_bytes()
    assert Counter(data.read(first)[1]) == {"a": 8, "b": 8}
    assert data.few_of(source, 8, 0).read_bytes() == content != other.read_bytes()


def test_a_part_keeps_the_proportion_of_the_classes(tmp_path):
    source = data.write(((f"text {row}", "aaab"[row % 4]) for row in range(100)), tmp_path / "train.csv")
    assert Counter(data.read(data.part_of(source, 40, 0))[1]) == {"a": 30, "b": 10}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("One.\n\nIn article <1@x> a@b writes:\n>: old\nTwo.", "One.\n\nTwo."),
        ("One.\n\nJoe Doe, joe@x.org", "One."),
        ("The answer: oil.\n(NOTE: cold)", "The answer: oil.\n(NOTE: cold)"),
        ("One.\n---\nJoe\n----\nquote", "One."),
        ("> all\n> old", ""),
    ],
)
def test_a_stripped_post_is_what_its_author_wrote(body, kept):
    assert data.strip_post(f"From: joe@x.org\nSubject: oil\n\n{body}") == kept


def test_examples():
    assert doctest.testmod(data).failed == 0
