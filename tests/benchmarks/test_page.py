"""The page of the docs is what the benchmarks say and have measured."""

import page


def test_every_benchmark_is_on_the_page():
    scripts = {
        file.stem for file in (page.ROOT / "benchmarks").glob("*.py") if "\n    main(Path(__" in file.read_text()
    }
    assert scripts - {"harness"} == set(page.BENCHMARKS)


def test_the_committed_page_is_up_to_date():
    assert page.PAGE.read_text() == page.page(), "run: python benchmarks/page.py"
