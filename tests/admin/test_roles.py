"""Every route × every role, over HTTP: who is let in, who is refused, and that a new route must say so here."""

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from admin.app import ROUTERS
from knowledge.database import Database
from knowledge.migrations import migrate
from knowledge.models import Role
from tests.conftest import PASSWORD, Served, add_staff, serving

V, C, R, A = Role.VIEWER, Role.CURATOR, Role.REVIEWER, Role.ADMINISTRATOR
LEAST: dict[tuple[str, str], Role] = {
    ("GET", "/inquiries"): V,
    ("GET", "/inquiries/{number}"): V,
    ("POST", "/inquiries/{number}/reply"): C,
    ("POST", "/inquiries/{number}/question"): C,
    ("POST", "/inquiries/{number}/callback"): C,
    ("POST", "/inquiries/{number}/asker"): A,
    ("POST", "/inquiries/{number}/referral"): C,
    ("POST", "/inquiries/{number}/refusal"): C,
    ("POST", "/inquiries/{number}/assignment"): C,
    ("POST", "/inquiries/{number}/urgency"): C,
    ("POST", "/inquiries/{number}/notes"): C,
    ("POST", "/inquiries/{number}/merger"): C,
    ("POST", "/inquiries/{number}/separation"): C,
    ("GET", "/inquiries/{number}/recognition"): C,
    ("POST", "/inquiries/{number}/recognition"): C,
    ("GET", "/entries/{entry_id}/recipients"): C,
    ("POST", "/entries/{entry_id}/corrections"): C,
    ("GET", "/corrections"): C,
    ("GET", "/corrections/{correction_id}"): C,
    ("POST", "/corrections/{correction_id}"): C,
    ("POST", "/corrections/{correction_id}/confirmation"): R,
    ("POST", "/corrections/{correction_id}/resumption"): R,
    ("POST", "/corrections/{correction_id}/withdrawal"): C,
    ("GET", "/messages"): C,
    ("GET", "/messages/{message_id}"): C,
    ("GET", "/"): V,
    ("GET", "/entries"): V,
    ("GET", "/entries/export"): V,
    ("GET", "/entries/import"): C,
    ("POST", "/entries/import"): C,
    ("GET", "/entries/{entry_id}"): V,
    ("GET", "/statutes"): V,
    ("GET", "/statutes/import"): C,
    ("POST", "/statutes/import"): C,
    ("GET", "/statutes/reviews"): V,
    ("POST", "/statutes/reviews/{entry_id}/closing"): C,
    ("GET", "/statutes/{statute_id}"): V,
    ("GET", "/statutes/{statute_id}/articles/{place}"): V,
    ("GET", "/entries/{entry_id}/versions/{number}"): V,
    ("POST", "/entries/{entry_id}/drafts"): C,
    ("POST", "/entries/{entry_id}/archival"): R,
    ("GET", "/drafts"): V,
    ("POST", "/drafts"): C,
    ("GET", "/drafts/{draft_id}"): V,
    ("POST", "/drafts/{draft_id}"): C,
    ("POST", "/drafts/{draft_id}/return"): C,
    ("POST", "/drafts/{draft_id}/comments"): C,
    ("POST", "/drafts/{draft_id}/review"): R,
    ("POST", "/drafts/{draft_id}/removal"): C,
    ("POST", "/drafts/{draft_id}/restoration"): C,
    ("POST", "/drafts/{draft_id}/publication"): C,
    ("GET", "/drafts/{draft_id}/comparison"): V,
    ("POST", "/drafts/{draft_id}/comparison"): C,
    ("POST", "/drafts/{draft_id}/comparison/cancellation"): C,
    ("GET", "/signing"): R,
    ("GET", "/settings/sign-offs"): A,
    ("POST", "/settings/sign-offs"): A,
    ("POST", "/signing"): R,
    ("POST", "/signing/objection"): R,
    ("GET", "/trial"): V,
    ("POST", "/trial/cases"): C,
    ("POST", "/trial/cases/{case_id}/removal"): C,
    ("GET", "/reports"): V,
    ("GET", "/reports/workbook"): V,
    ("GET", "/reports/document"): V,
    ("GET", "/settings"): C,
    ("GET", "/settings/texts"): A,
    ("GET", "/settings/texts/{key}"): A,
    ("POST", "/settings/texts/{key}"): A,
    ("POST", "/settings/texts/{key}/preview"): A,
    ("POST", "/settings/texts/{key}/restoration"): A,
    ("GET", "/settings/examples"): A,
    ("POST", "/settings/examples"): A,
    ("POST", "/settings/examples/preview"): A,
    ("POST", "/settings/examples/restoration"): A,
    ("GET", "/settings/fixed-replies"): C,
    ("POST", "/settings/fixed-replies"): C,
    ("GET", "/settings/fixed-replies/export"): C,
    ("POST", "/settings/fixed-replies/import"): C,
    ("GET", "/settings/fixed-replies/new"): C,
    ("POST", "/settings/fixed-replies/preview"): C,
    ("GET", "/settings/fixed-replies/{reply_id}"): C,
    ("POST", "/settings/fixed-replies/{reply_id}"): C,
    ("POST", "/settings/fixed-replies/{reply_id}/preview"): C,
    ("POST", "/settings/fixed-replies/{reply_id}/removal"): C,
    ("GET", "/settings/urgent-rules"): A,
    ("POST", "/settings/urgent-rules"): A,
    ("GET", "/settings/urgent-rules/new"): A,
    ("POST", "/settings/urgent-rules/preview"): A,
    ("GET", "/settings/urgent-rules/{rule_id}"): A,
    ("POST", "/settings/urgent-rules/{rule_id}"): A,
    ("POST", "/settings/urgent-rules/{rule_id}/preview"): A,
    ("POST", "/settings/urgent-rules/{rule_id}/place"): A,
    ("POST", "/settings/urgent-rules/{rule_id}/removal"): A,
    ("GET", "/settings/matching/{kind}"): C,
    ("POST", "/settings/matching/{kind}"): C,
    ("GET", "/settings/matching/{kind}/new"): C,
    ("GET", "/settings/matching/{kind}/{number}"): C,
    ("POST", "/settings/matching/{kind}/{number}"): C,
    ("POST", "/settings/matching/{kind}/{number}/removal"): C,
    ("GET", "/settings/figures"): A,
    ("GET", "/settings/figures/{figure_key}"): A,
    ("POST", "/settings/figures/{figure_key}"): A,
    ("GET", "/settings/connection"): A,
    ("POST", "/settings/connection"): A,
    ("GET", "/settings/menu"): A,
    ("POST", "/settings/menu"): A,
    ("POST", "/settings/menu/fetch"): A,
    ("GET", "/settings/menu/comparison"): A,
    ("POST", "/settings/menu/publication"): A,
    ("POST", "/settings/menu/removal"): A,
    ("GET", "/settings/promise"): A,
    ("POST", "/settings/promise"): A,
    ("GET", "/settings/alerts"): A,
    ("POST", "/settings/alerts/email"): A,
    ("POST", "/settings/alerts/robot"): A,
    ("POST", "/settings/alerts/hour"): A,
    ("POST", "/settings/alerts/{channel}/test"): A,
    ("POST", "/settings/alerts/{channel}/removal"): A,
    ("GET", "/settings/thresholds"): A,
    ("POST", "/settings/thresholds"): A,
    ("POST", "/settings/thresholds/budget"): A,
    ("POST", "/settings/thresholds/measurement"): A,
    ("POST", "/settings/thresholds/restoration"): A,
    ("GET", "/settings/thresholds/{weights_id}"): A,
    ("POST", "/settings/thresholds/{weights_id}/comparison"): A,
    ("POST", "/settings/thresholds/{weights_id}/comparison/cancellation"): A,
    ("POST", "/settings/thresholds/{weights_id}/activation"): A,
    ("POST", "/settings/thresholds/{weights_id}/removal"): A,
    ("GET", "/staff"): A,
    ("POST", "/staff"): A,
    ("GET", "/staff/{member_id}"): A,
    ("POST", "/staff/{member_id}/access"): A,
    ("POST", "/staff/{member_id}/password"): A,
    ("POST", "/staff/{member_id}/second-factor/removal"): A,
    ("GET", "/account"): V,
    ("POST", "/account/password"): V,
    ("POST", "/account/second-factor"): V,
    ("POST", "/account/second-factor/confirmation"): V,
    ("POST", "/account/second-factor/removal"): V,
    ("GET", "/audit"): A,
}
OPEN_TO_ALL = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-in/code"),
    ("POST", "/sign-out"),
}
IN_PLACE = {
    "weights_id": "999999",
    "channel": "robot",
    "number": "Q20200101-0001",
    "entry_id": "labor.nothing",
    "member_id": "999999",
    "statute_id": "999999",
    "place": "1",
    "message_id": "999999",
    "correction_id": "999999",
    "draft_id": "999999",
    "case_id": "999999",
    "key": "nothing",
    "reply_id": "999999",
    "rule_id": "nothing",
    "kind": "lexicon",
    "figure_key": "nothing",
}


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One Fawen and a member of staff of each role."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('crew') / 'test.sqlite3'}")
    migrate(database)
    with serving(database) as served:
        for role in Role:
            add_staff(database, str(role), role)
        yield served
    database.dispose()


def test_the_table_names_every_route() -> None:
    listed = [route for router in ROUTERS for route in router.routes]
    routes = {(m, r.path) for r in listed if isinstance(r, APIRoute) for m in r.methods or ()}

    assert routes == set(LEAST) | OPEN_TO_ALL


@pytest.mark.parametrize("role", list(Role))
def test_a_role_enters_what_is_its_own_and_nothing_above(crew: Served, role: Role) -> None:
    with httpx.Client(base_url=crew.url, timeout=120, trust_env=False) as client:
        token = _token(client.get("/admin/sign-in"))
        client.post("/admin/sign-in", data={"form_token": token, "name": str(role), "password": PASSWORD})
        token = _token(client.get("/admin/account"))
        refused = {}
        for method, path in LEAST:
            address = "/admin" + re.sub(r"\{(\w+)[^}]*\}", lambda found: IN_PLACE[found[1]], path)
            answer = client.request(method, address, data={"form_token": token} if method == "POST" else None)
            assert answer.status_code < 500, (path, answer.text)
            assert not answer.headers.get("location", "").startswith("/admin/sign-in"), path
            refused[method, path] = answer.status_code == 403

    order = list(Role)
    assert refused == {route: order.index(role) < order.index(least) for route, least in LEAST.items()}


def test_nobody_enters_without_signing_in(crew: Served) -> None:
    with httpx.Client(base_url=crew.url, timeout=120, trust_env=False) as client:
        token = _token(client.get("/admin/sign-in"))
        for method, path in LEAST:
            address = "/admin" + re.sub(r"\{(\w+)[^}]*\}", lambda found: IN_PLACE[found[1]], path)
            answer = client.request(method, address, data={"form_token": token} if method == "POST" else None)
            is_refused = answer.status_code == 403 or answer.headers.get("location", "").startswith("/admin/sign-in")
            assert is_refused, (method, path, answer.status_code)


def _token(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found[1]
