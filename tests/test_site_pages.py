"""The pages of migrations, risk and hazards: what they say, for this project and for another one, built by MkDocs."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config

from backout.evidence import Evidence, from_json
from backout.matrix.facts import facts
from backout.matrix.kinds import load_kinds, read_evidence
from backout.rules import load_catalogue, load_known
from backout.site.words import DEPLOYS, RISKS, ROLLBACKS, told_lost

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests/samples/site"
QUIET = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
PAGES = ("migrations", "risk", "hazards")


def built(project: Path, target: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A site, built as anybody builds it, where no program can be reached."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target, *options],
        cwd=project,
        env={"PATH": "/nonexistent", "HOME": str(target), "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(built_site: Path) -> Path:
    """This project's site."""
    return built_site


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another project's, whose chain has branches and a merge, and evidence of every state."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copytree(SAMPLE, folder / "project")
    done = built(folder / "project", folder / "site")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder / "site"


def article(site: Path, page: str) -> Tag:
    text = (site / page / "index.html").read_text(encoding="utf-8")
    found = BeautifulSoup(text[text.index('<div class="bo-page">') :].partition("</article>")[0], "html.parser").div
    assert found is not None, page
    return found


def text_of(element: Tag | None) -> str:
    assert element is not None
    return " ".join(element.get_text(" ").split())


def cells(row: Tag) -> list[str]:
    return [text_of(cell) for cell in row.find_all(["th", "td"])]


def rows(table: Tag | None) -> dict[str, list[str]]:
    """Rows of a table by their first cell."""
    assert table is not None
    found = [cells(row) for row in table.select("tbody tr:not(.bo-kind)")]
    return {one[0]: one[1:] for one in found}


def glance(page: Tag, number: int = 0) -> dict[str, str]:
    box = page.select("dl.bo-glance")[number]
    return {text_of(one.dt): text_of(one.dd) for one in box.find_all("div", recursive=False)}


# -- another project's chain ------------------------------------------------------------------------------------------


def test_the_picture_has_every_revision_with_its_risk_and_leads_to_its_page(shop: Path) -> None:
    picture = article(shop, "migrations").select_one("svg.bo-chain")
    assert picture is not None
    nodes = {
        str(link["href"]): (link.select_one("g.bo-shape")["class"][1], text_of(link.select_one(".bo-meta")))  # type: ignore[index]
        for link in picture.find_all("a")
    }
    assert nodes == {
        "unproven/": ("bo-unproven", "unproven · unproven · rollback: unproven · head"),
        "further/": ("bo-low", "further · low · rollback: yes, if unused"),
        "apart/": ("bo-low", "apart · low · rollback: yes, if unused"),
        "unmeasured/": ("bo-unmeasured", "unmeasured · not measured · head"),
        "stale/": ("bo-unmeasured", "stale · not measured"),
        "newer/": ("bo-low", "newer · low · rollback: yes"),
        "both/": ("bo-low", "both · low · rollback: yes"),
        "right/": ("bo-medium", "right · medium · rollback: risky"),
        "left/": ("bo-high", "left · high · rollback: no"),
        "trunk/": ("bo-low", "trunk · low · rollback: yes, if unused"),
    }
    assert text_of(picture.desc) == (
        "10 revisions; heads: unmeasured, unproven. Branches begin after trunk. Merged by both."
    )
    # Nine parents, one dependency; two bases lead to the empty database.
    assert len(picture.select(".bo-edges path")) == 9 + 1 + 2
    assert len(picture.select(".bo-edges path[stroke-dasharray]")) == 1


def test_the_table_tells_what_was_measured_and_what_was_not(shop: Path) -> None:
    page = article(shop, "migrations")
    table = page.select_one("#bo-revisions")
    assert table is not None
    told = [" | ".join(cells(row)) for row in table.select("tbody tr")]
    assert told == (SAMPLE / "table.txt").read_text().splitlines()
    notes = [text_of(note) for note in page.select(".bo-note")]
    assert notes == [
        "Several heads alembic upgrade head refuses to choose. Merge them, or name one.",
        "Not measured: 2 stale , unmeasured : no evidence of them as they stand. Measure with backout rehearse --new .",
    ]


@pytest.mark.parametrize(
    ("name", "note"),
    {
        "stale": (
            "Not measured as it stands The committed evidence is of other files: the revision, one before it, env.py "
            "or the seed file was changed since. What it says is not shown. Measure again: backout rehearse stale"
        ),
        "unmeasured": (
            "Not measured No evidence of this revision is committed. Nothing is known of what it locks and loses. "
            "Measure it: backout rehearse unmeasured"
        ),
    }.items(),
)
def test_what_is_not_measured_says_so_and_nothing_else(shop: Path, name: str, note: str) -> None:
    page = article(shop, f"migrations/{name}")
    assert set(glance(page).values()) == {"Not measured"}
    assert text_of(page.select_one(".bo-note")) == note
    assert not page.select(".bo-low, .bo-timeline, .bo-diff")
    assert [heading["id"] for heading in page.select("h2")] == {
        "stale": ["file"],
        "unmeasured": ["findings", "file"],
    }[name]
    if name == "unmeasured":
        assert (
            "Not judged, for it was not measured. Accepted in its file: dropped-table-comes-back-empty : it may go"
            in text_of(page)
        )


def test_what_is_unproven_is_said_loudly(shop: Path) -> None:
    page = article(shop, "migrations/unproven")
    assert text_of(page.select_one(".bo-note")) == (
        "Unproven: not all could be measured the upgrade failed: 22012 division by zero"
    )
    assert glance(page)["Risk"] == "Unproven"
    assert glance(page)["The upgrade blocks"] == "The upgrade fails"


def test_another_major_version_has_its_own_verdict(shop: Path) -> None:
    page = article(shop, "migrations/newer")
    assert glance(page, 0)["Can one roll back?"] == "Yes"
    assert glance(page, 1)["Can one roll back?"] == "Unproven"
    assert "On PostgreSQL 18. It differs on PostgreSQL 15 ." in text_of(page)
    assert 'The upgrade on PostgreSQL 15 failed : 42601 syntax error at or near "NOT" .' in text_of(page)


def test_findings_waivers_and_what_people_wrote_are_shown_as_they_are(shop: Path) -> None:
    page = article(shop, "migrations/left")
    first = page.select_one(".bo-finding")
    assert text_of(first).startswith(
        "Error, accepted: a dropped column that comes back empty dropped-column-comes-back-empty"
    )
    assert "Accepted in the revision: nobody <reads> them" in text_of(first)
    assert first.a["href"] == "../../hazards/dropped-column-comes-back-empty/"  # type: ignore[index, union-attr]
    assert "squawk:prefer-robust-stmts : a second try finds it gone" in text_of(page)
    losses = page.select_one("#untouched + .bo-holder table")
    assert list(rows(losses)) == ["customers.note"]
    assert text_of(page.select_one("#untouched + .bo-holder table td")) == "11 of 11"


def test_what_repeats_is_told_once(site: Path) -> None:
    """Two tables of the same hazard stand in one box; statements that fail alike, in one line."""
    page = article(site, "migrations/2749027cad4f")
    told = [one.select_one(".bo-title code").get_text() for one in page.select(".bo-finding")]
    assert told == ["foreign-key-locks-parent", "values-written-since-are-lost"]
    assert [text_of(one).count("blocks writes to public.") for one in page.select(".bo-finding")] == [2, 0]
    assert [len(line.select("code")) for line in page.select(".bo-failing li")] == [4, 4]
    schema = article(site, "migrations/schema")
    linked = [link.get_text() for link in schema.select("#table-memberships + p a")]
    assert linked == ["users", "organizations"]


def test_a_change_of_an_indexed_table_is_drawn(shop: Path) -> None:
    page = article(shop, "migrations/right")
    upgrade = page.select_one("svg.bo-timeline")
    assert upgrade is not None
    assert [text_of(label) for label in upgrade.select(".bo-label")] == [
        "orders: writes wait (SHARE)",
        "reads all of orders",
        "orders: reads and writes wait (ACCESS EXCLUSIVE)",
        "writes every row of orders anew",
        "builds orders_customer, orders_pkey",
        "reads all of orders",
    ]
    assert [(bar["class"][1], bar["x"], bar["width"]) for bar in upgrade.select("rect.bo-bar")] == [
        ("bo-bar-medium", "0.00%", "96.00%"),
        ("bo-bar-work", "0.00%", "32.00%"),
        ("bo-bar-high", "32.00%", "64.00%"),
        ("bo-bar-work", "32.00%", "32.00%"),
        ("bo-bar-work", "32.00%", "32.00%"),
        ("bo-bar-work", "64.00%", "32.00%"),
    ]
    assert text_of(upgrade.desc).startswith(
        "1. CREATE INDEX orders_customer ON orders (customer_id): orders: writes wait"
    )
    lines = [text_of(line) for line in page.select(".bo-diff .bo-plus, .bo-diff .bo-minus")]
    assert "+ CREATE INDEX orders_customer ON public.orders USING btree (customer_id)" in lines
    assert {"\N{MINUS SIGN} total integer", "+ total bigint NOT NULL"} <= set(lines)


def test_the_schema_is_put_together_from_the_evidence(shop: Path) -> None:
    page = article(shop, "migrations/schema")
    assert [text_of(table) for table in page.select("svg .bo-table")] == ["customers", "bills", "orders"]
    assert [text_of(line) for line in page.select("svg .bo-relations title")] == [
        "bills (customer_id) refers to customers",
        "orders (customer_id) refers to customers",
    ]
    assert text_of(page.select_one(".bo-note")) == (
        "Not all of it is known What stale , unmeasured , unproven changed is missing, for they were not measured."
    )
    assert rows(page.select_one("#table-bills ~ table")) == {
        "id": ["integer NOT NULL", "PK"],
        "customer_id": ["integer", "FK"],
        "paid": ["boolean", ""],
    }


def test_a_waiver_that_says_nothing_ends_the_build(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "project")
    path = tmp_path / "project/migrations/versions/trunk.py"
    path.write_text(path.read_text().replace("revision =", "# backout: accept plain-index\nrevision =", 1))
    done = built(tmp_path / "project", tmp_path / "site")
    assert done.returncode == 1
    assert (
        "backout: migrations/versions/trunk.py:8: the comment '# backout: accept plain-index' gives no reason; "
        "write # backout: accept HAZARD: REASON" in done.stderr
    )


def test_evidence_that_is_none_ends_the_build(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "project")
    path = tmp_path / "project/migrations/evidence/trunk.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    done = built(tmp_path / "project", tmp_path / "site")
    assert done.returncode == 1
    assert f"backout: {path} is no evidence of version 1" in done.stderr


def test_a_site_without_a_chain_and_with_another_theme_has_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# A `plain-index`\n\nNot `plain-index`, but `left`.\n")
    (tmp_path / "mkdocs.yml").write_text("site_name: Nothing\ntheme: mkdocs\nplugins: [backout]\n")
    done = built(tmp_path, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "site/migrations").exists()
    assert len(list((tmp_path / "site/hazards").glob("*/index.html"))) == len(load_catalogue())
    home = (tmp_path / "site/index.html").read_text()
    assert '<p>Not <a href="hazards/plain-index/"><code>plain-index</code></a>, but <code>left</code>.</p>' in home
    assert "assets/backout/backout.css" in home


def test_pages_beside_docs_are_on_the_site_and_lead_to_one_another(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[tool.backout]\npages = ["*.md", "docs/*.md", "runbooks/*.md"]\n',
        "mkdocs.yml": "site_name: Some\ntheme: mkdocs\nplugins: [backout]\n",
        "docs/index.md": "# Home\n\n[n](../NEWS.md#x) [r](../runbooks/a.md)\n",
        "NEWS.md": "# News {#x}\n\n[h](docs/index.md)\n",
        "INDEX.md": "# Another\n",
        "README.md": "# Read me\n",
        "runbooks/a.md": "# A\n\n[n](../NEWS.md)\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = built(tmp_path, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site"
    pages = {path.parent.relative_to(site).as_posix() for path in site.rglob("index.html")}
    assert {page for page in pages if not page.startswith(("hazards", "risk"))} == {".", "news", "runbooks/a"}
    home = (tmp_path / "site/index.html").read_text()
    assert '<a href="news/#x">n</a> <a href="runbooks/a/">r</a>' in home
    assert '<a href="../">h</a>' in (tmp_path / "site/news/index.html").read_text()
    assert '<a href="../../news/">n</a>' in (tmp_path / "site/runbooks/a/index.html").read_text()


def test_while_it_is_served_only_what_changed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SAMPLE, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    config = load_config(str(tmp_path / "project/mkdocs.yml"), site_dir=str(tmp_path / "site"))
    plugin = config.plugins["backout"]
    plugin.on_startup(command="serve", dirty=False)
    page = tmp_path / "site/migrations/left/index.html"
    mkdocs_build(config)
    first = page.read_bytes()
    made = plugin.generated
    index = tmp_path / "site/search/search_index.json"
    searched = {one["location"]: one["text"] for one in json.loads(index.read_text())["docs"]}
    mkdocs_build(config)
    assert page.read_bytes() == first
    assert plugin.generated is made
    assert {one["location"]: one["text"] for one in json.loads(index.read_text())["docs"]} == searched
    assert {"migrations/left/", "hazards/dropped-schema/"} <= searched.keys()
    (tmp_path / "project/migrations/evidence/left.json").unlink()
    mkdocs_build(config)
    assert b"No evidence of this revision is committed" in page.read_bytes()
    assert b"No evidence of this revision is committed" not in first


# -- this project, and the catalogue ----------------------------------------------------------------------------------


def evidence() -> Iterator[Evidence]:
    for path in sorted((ROOT / "alembic/evidence").glob("*.json")):
        yield from_json(path.read_bytes(), str(path))


def test_every_revision_has_a_page_that_says_what_its_evidence_says(site: Path) -> None:
    index = article(site, "migrations")
    table = {key.rpartition(" ")[2]: values for key, values in rows(index.select_one("#bo-revisions")).items()}
    every = list(evidence())
    assert table.keys() == {one.revision for one in every}
    for one in every:
        told = told_lost(one)
        lost = "Nothing" if told == [] else " ".join(told or ["Not measured"])
        assert table[one.revision][:3] == [RISKS[one.risk], ROLLBACKS[one.rollback], lost]
        assert table[one.revision][4] == DEPLOYS[one.compatibility.order].removesuffix(" the deploy")
        page = article(site, f"migrations/{one.revision}")
        seen = glance(page)
        assert seen["Risk"] == RISKS[one.risk]
        assert seen["Can one roll back?"].startswith(ROLLBACKS[one.rollback])
        assert seen["Apply it"] == DEPLOYS[one.compatibility.order]
        statements = len(one.upgrade.statements or ()) + len(one.downgrade.statements or ())
        assert len(page.select("ol.bo-statements > li")) == statements
        drawn = [step for step in (one.upgrade, one.downgrade) if step.statements]
        assert len(page.select("svg.bo-timeline")) == len(drawn)
        assert len(page.select("svg.bo-timeline .bo-sql")) == statements


def test_a_statement_that_was_not_seen_is_never_harmless(site: Path) -> None:
    """The backfill commits within a DO block, so that nobody sees its locks."""
    page = article(site, "migrations/411cf211891c")
    assert glance(page)["The upgrade blocks"] == "Not measured"
    assert [text_of(label) for label in page.select(".bo-timeline .bo-label")] == ["locks not seen"]
    assert [bar["class"][1] for bar in page.select(".bo-timeline rect")] == ["bo-bar-unmeasured"]
    assert "Locks: not seen. Nothing is known of whom it blocks." in text_of(page)
    assert text_of(page.select_one(".bo-note")) == (
        "Taken for granted 411cf211891c.sql was run on the rows, which the application is to keep so"
    )


def test_preconditions_are_told_before_anything_else(site: Path, shop: Path) -> None:
    notes = [text_of(note) for note in article(shop, "migrations/right").select(".bo-note")]
    assert notes == [
        "Taken for granted public.orders was filled with tame rows only",
        (
            "Count before you upgrade The upgrade fails on rows that may be there. backout apply counts them before it "
            'starts. orders : 23502 column "total" of relation "orders" contains null values '
            "SELECT count ( * ) FROM public . orders WHERE total IS NULL"
        ),
    ]
    notes = [text_of(note) for note in article(site, "migrations/4fb2096bbdef").select(".bo-note")]
    assert notes[1].endswith('"uq_users_email" No query can count them.')


def test_every_cell_of_the_matrix_is_the_measured_one_and_leads_to_its_migration(site: Path) -> None:
    kinds = load_kinds()
    measured = read_evidence(kinds)
    page = article(site, "risk")
    found = {}
    for body in page.select("#bo-matrix tbody"):
        kind = body.select_one(".bo-kind a")
        assert kind is not None
        for row in body.select("tr:not(.bo-kind)"):
            links = [str(link["href"]) for link in row.find_all("a")]
            assert links[0].startswith(str(kind["href"]))
            assert links[1:] == [links[0], f"{links[0]}-lost", f"{links[0]}-blocks", f"{links[0]}-deploy"]
            found[links[0].rstrip("/").replace("/#", "/")] = (cells(row)[1:3], row["data-risk"], row["data-rollback"])
    assert found.keys() == {f"{kind.id}/{name}" for kind in kinds.values() for name in kind.variants}
    for kind in kinds.values():
        for name in kind.variants:
            whole = facts(measured[kind.id][name])
            assert found[f"{kind.id}/{name}"] == (
                [RISKS[whole.risk], ROLLBACKS[whole.rollback]], whole.risk, whole.rollback,
            )  # fmt: skip
        ids = attributes("id", (site / f"risk/{kind.id}/index.html").read_text(encoding="utf-8"))
        assert {*kind.variants} <= {*ids}


def test_every_hazard_has_a_page_with_both_migrations(site: Path) -> None:
    catalogue = load_catalogue()
    index = article(site, "hazards")
    listed = [str(link["href"]).removesuffix("/") for link in index.select("#bo-hazards tbody th a")]
    assert Counter(listed) == Counter(catalogue.keys())
    elsewhere = sum(len(group.left) for group in load_known(catalogue))
    assert len(index.select('#bo-hazards tr[data-group="elsewhere"]')) == elsewhere
    for hazard in catalogue.values():
        page = article(site, f"hazards/{hazard.id}")
        code = " ".join(text_of(one) for one in page.select("pre code")).replace(" ", "")
        for file in (hazard.unsafe[-1], *(one for one in hazard.safer if one.stem.startswith("safer"))):
            source = file.read_text(encoding="utf-8")
            assert "".join(source[source.index("def upgrade") :].split()) in code, file
        assert page.select_one("#unsafe-upgrade") is not None
        assert page.select_one("#safer-upgrade") is not None
        assert text_of(page.select_one(".bo-compare")).startswith("Unsafe Safer")


def test_pages_lead_to_what_they_name(site: Path) -> None:
    catalogue = (site / "reference/catalogue/index.html").read_text()
    assert '<a id="plain-index"></a><a href="../../hazards/plain-index/"><code>plain-index</code></a>' in catalogue
    rollback = (site / "migration-rollback/index.html").read_text()
    assert '<a href="../risk/remove-column/">Remove column</a></td>' in rollback


# -- all pages --------------------------------------------------------------------------------------------------------


def test_every_link_of_another_project_arrives(shop: Path) -> None:
    """This project's, on every page and everywhere on it: ``test_site_links``."""
    texts = {path: path.read_text(encoding="utf-8") for path in shop.rglob("index.html")}
    ids = {path: set(attributes("id", text)) for path, text in texts.items()}
    wrong = []
    for path, text in texts.items():
        content = text[text.index('<article class="md-content__inner') :].partition("</article>")[0]
        for target in sorted(set(attributes("href", content))):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            file = file / "index.html" if file.is_dir() else file
            if not file.exists() or (parts.fragment and file in ids and unquote(parts.fragment) not in ids[file]):
                wrong.append(f"{path.relative_to(shop)}: {target}")
    assert wrong == []


def attributes(name: str, text: str) -> list[str]:
    return [html.unescape(value) for value in re.findall(rf'\s{name}="([^"]*)"', text)]


def test_no_address_is_taken_twice_on_a_page(site: Path, shop: Path) -> None:
    twice = {}
    for root in (site, shop):
        for path in (file for section in PAGES for file in (root / section).rglob("index.html")):
            found = Counter(attributes("id", path.read_text(encoding="utf-8")))
            if many := [name for name, number in found.items() if number > 1]:
                twice[path.relative_to(root).as_posix()] = many
    assert twice == {}


def test_pages_are_light(site: Path) -> None:
    heavy = {path.relative_to(site).as_posix(): path.stat().st_size for path in site.rglob("*.html")}
    assert {name: size for name, size in heavy.items() if size > 300_000} == {}


def test_every_page_has_a_description_and_headings_that_the_contents_list(site: Path) -> None:
    for path in (file for section in PAGES for file in (site / section).rglob("index.html")):
        text = path.read_text(encoding="utf-8")
        assert re.search(r'<meta name="description" content="[^"]', text), path
        assert text.count("<h1") == 1, path
    soup = BeautifulSoup((site / "migrations/3263c0e46dff/index.html").read_text(encoding="utf-8"), "html.parser")
    contents = [text_of(link) for link in soup.select(".md-sidebar--secondary .md-nav__link")]
    assert [text for text in contents if text.startswith("Whom")] == [
        "Whom the upgrade blocks",
        "Whom the downgrade blocks",
    ]


def test_the_search_finds_revisions_and_hazards_and_is_small(site: Path) -> None:
    documents = json.loads((site / "search/search_index.json").read_text())["docs"]
    texts = {one["location"]: one["title"] + one["text"] for one in documents}
    assert "the old hashes are a liability" in " ".join(
        re.sub(r"<[^>]+>", "", text) for location, text in texts.items() if "3263c0e46dff" in location
    )
    assert "plain-index" in "".join(
        text for location, text in texts.items() if location.startswith("hazards/plain-index")
    )
    ours = {location: text for location, text in texts.items() if location.startswith(PAGES)}
    assert len(json.dumps(ours)) < 500_000
