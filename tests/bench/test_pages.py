"""The pages' benchmark: its limits, and its section of docs/benchmarks.md."""

from tests.bench.page_report import Page, pages_kept, pages_write
from tests.bench.pages import _place95, _ways


def page(name: str = "sync.order", *, statements: int = 15, p95: float = 299.9) -> Page:
    return Page(name, statements, median_ms=90, p95_ms=p95, cpu_ms=80, cpu_p95_ms=85, slowest_ms=9, slowest="SELECT 1")


def test_a_page_meets_its_limits_up_to_15_queries_and_below_300_ms():
    assert page().is_met
    assert not page(statements=16).is_met
    assert not page(p95=300).is_met


def test_the_95th_percentile_is_the_value_that_5_of_100_lie_beyond():
    assert [_place95(count) for count in (1, 3, 10, 20, 100)] == [0, 2, 9, 18, 94]


def test_the_section_replaces_the_last_one_and_leaves_the_rest(tmp_path):
    docs = tmp_path / "benchmarks.md"
    docs.write_text("# Benchmarks\n\nThe rest.\n", encoding="utf-8")
    ways = [page(), page("sync.order, sorted ?o=1", p95=120), page("Today, live part", p95=40)]
    pages_write({"sqlite": ways}, rows=100_000, docs=docs)
    first = docs.read_text(encoding="utf-8")
    pages_write({"sqlite": ways}, rows=100_000, docs=docs)
    assert docs.read_text(encoding="utf-8") == first
    assert first.startswith(
        "# Benchmarks\n\nThe rest.\n\n<!-- pages: begin -->\n## The admin's pages with 100,000 of everything\n"
    )
    assert "| sync.order | 15 | 90 | 300 | 80 | as it opens | 15 | 300 | 80 |" in first
    assert "| Today, live part | 15 | 90 | 40 | 80 | as it opens | 15 | 40 | 80 |" in first
    assert pages_kept(docs).strip() == first.partition("The rest.")[2].strip()


def test_a_list_is_asked_for_its_last_page_by_each_filter_and_by_each_column():
    html = """<nav id="changelist-filter"><details class="drop"><ul><li class="selected"><a href="?">All</a></li>
        <li><a href="?state=held">Held</a></li><li><a href="?state=done">Done</a></li></ul></details></nav>
        <th scope="col" class="sortable column-x"><div class="text"><a href="?o=1">X</a></div></th>
        <a href="?p=2">2</a><a href="?p=17">17</a>"""
    assert [query for _, query in _ways(html, is_searched=False)] == ["", "?p=17", "?state=held", "?o=1"]
    assert [query for _, query in _ways(html, is_searched=True)][2:4] == ["?q=product+777", "?q=nothing-has-this"]
