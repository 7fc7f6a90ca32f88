"""Access: may somebody do something and why, and who may; answered in plain words."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import access
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import may, require
from watchkeeper.kernel.problems import BadQuery, NotThere
from watchkeeper.kernel.resource import registry

PEOPLE = 500
PLATFORM = "platform"
#: the kinds of record that say who may what, by what one comes for
RECORDS = {
    "Who has what": ("grants", "roles", "teams", "organisations", "users"),
    "How they get it": ("access-requests", "approvals", "emergencies"),
    "What it allows": ("policies", "policy-drafts", "policy-tests", "policy-versions"),
    "How they sign in": (
        "sessions",
        "oidc-providers",
        "saml-providers",
        "ldap-servers",
        "group-mappings",
        "linked-identities",
        "second-factors",
        "second-factor-rules",
    ),
    "Whether it is right": (
        "review-campaigns",
        "reviews",
        "separation-rules",
        "separation-exceptions",
        "access-findings",
    ),
}


@require_GET
@signed_in()
def ask(request: HttpRequest) -> HttpResponse:
    """Both questions; the one that was asked with its answer."""
    actor = actor_of(request)
    require(actor, "read", registry["policies"])
    given = {name: value.strip() for name, value in request.GET.items()}
    context: dict[str, Any] = {}
    if given.get("ask"):
        try:
            context = _answered(actor, given)
        except (BadQuery, NotThere) as error:
            context = {"trouble": error.detail}
    kinds = sorted(r.path for r in registry)
    return page(
        request, "access.html", title="Access", given=given,
        people=User.objects.filter(is_active=True).order_by("username")[:PEOPLE],
        kinds=[*kinds, PLATFORM], actions=_actions(), waiting=access.summary(actor),
        records=[(said, [registry[p] for p in paths if may(actor, "read", registry[p])])
                 for said, paths in RECORDS.items()],
        **context,
    )  # fmt: skip


def _answered(actor: Actor, given: dict[str, str]) -> dict[str, Any]:
    about = access.asked(actor, given)
    name = about.resource.title(about.record) if about.resource and about.record else ""
    what = f"{about.action} {name or about.kind}".replace("-", " ")
    if given["ask"] == "who":
        return {"who": access.who(actor, about), "what": what}
    return {"answer": access.explain(actor, given.get("user", ""), about), "what": what}


def _actions() -> list[str]:
    """Every action of any kind, the common ones first."""
    found = [a for r in (*registry, None) for a in access.actions_of(r)]
    common = ["read", "create", "change", "remove"]
    return [*common, *sorted({*found}.difference(common))]
