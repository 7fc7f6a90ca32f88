"""/api/portal/tickets/: one's own tickets, as the portal shows them. Whose a ticket is decides, and no policy is asked; a
ticket, message or file of somebody else answers as one that there is not."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.files import Receiving
from watchkeeper.api.records.bodies import unknown, validate
from watchkeeper.domains.annotations import files as filing
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.portal import ordering, requesting, shapes, surveying
from watchkeeper.domains.portal.files import attachment
from watchkeeper.domains.portal.models import Survey
from watchkeeper.domains.portal.own import narrowed, person_of, ticket_of, tickets_of
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.lists import Pages
from watchkeeper.kernel.permissions import SignedIn
from watchkeeper.kernel.problems import NotThere


class _Portal(APIView):
    """Base: for whoever has signed in, with what is their own."""

    permission_classes = (SignedIn,)

    def asks(self, request: Request) -> tuple[()]:  # noqa: ARG002
        """Nothing of any policy."""
        return ()

    @property
    def actor(self) -> Actor:
        """Who calls."""
        return actor_of(self.request)

    def own(self, number: str, *, writes: bool = False) -> Ticket:
        """The ticket. Raises NotThere or Forbidden."""
        return ticket_of(person_of(self.actor, writes=writes), number)

    def given(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The body as this shape takes it. Raises ValidationError."""
        taken = shape(data=self.request.data)
        validate(taken, unknown(taken, self.request.data))
        data: dict[str, Any] = taken.validated_data
        return data


class OwnTickets(_Portal):
    """One's own tickets."""

    @extend_schema(
        operation_id="portal_tickets_list", responses=shapes.PortalTicket(many=True),
        parameters=[OpenApiParameter(n, str, description=d) for n, d in (
            ("search", "words in number, title and description"), ("state", "open or done"))],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The newest first; `limit` and `offset`."""
        asked = request.query_params
        found = narrowed(tickets_of(person_of(self.actor)), asked.get("search", ""), asked.get("state", ""))
        pages = Pages()
        shown = pages.paginate_queryset(found, request, self)
        return pages.get_paginated_response(shapes.PortalTicket(shown, many=True).data)

    @extend_schema(
        operation_id="portal_tickets_create", request=shapes.Opening, responses={201: shapes.PortalTicket}
    )
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Ask for something."""
        person_of(self.actor, writes=True)
        made = requesting.open_ticket(self.actor, self.given(shapes.Opening))
        return Response(shapes.PortalTicket(made).data, status=201)


class OwnCatalog(_Portal):
    """What one can order."""

    @extend_schema(
        operation_id="portal_catalog_list", responses=shapes.Offered(many=True),
        parameters=[OpenApiParameter("search", str, description="words in name, category and description")],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """By category and name; `limit` and `offset`."""
        pages = Pages()
        found = ordering.offered(self.actor, request.query_params.get("search", ""))
        return pages.get_paginated_response(
            shapes.Offered(pages.paginate_queryset(found, request, self), many=True).data
        )


class OwnOrders(_Portal):
    """What one orders."""

    @extend_schema(operation_id="portal_order", request=shapes.Ordering, responses={201: shapes.PortalTicket})
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Order something; answers with the ticket that follows it."""
        data = self.given(shapes.Ordering)
        made = ordering.order(self.actor, ordering.item_of(self.actor, data["item"]), data["answers"])
        return Response(shapes.PortalTicket(made.ticket).data, status=201)


class OwnTicket(_Portal):
    """One of them."""

    @extend_schema(operation_id="portal_ticket", responses=shapes.PortalTicket)
    def get(self, request: Request, number: str) -> Response:  # noqa: ARG002
        """The ticket."""
        return Response(shapes.PortalTicket(self.own(number)).data)


class OwnMessages(_Portal):
    """What was said on it."""

    @extend_schema(operation_id="portal_messages_list", responses=shapes.Said(many=True))
    def get(self, request: Request, number: str) -> Response:  # noqa: ARG002
        """The public replies, in their order."""
        return Response(shapes.Said(shapes.conversation_of(self.own(number)), many=True).data)

    @extend_schema(
        operation_id="portal_reply", request=shapes.Saying, responses={201: shapes.Said(many=True)}
    )
    def post(self, request: Request, number: str) -> Response:  # noqa: ARG002
        """Reply; answers with the whole conversation."""
        ticket = self.own(number, writes=True)
        requesting.reply(self.actor, ticket, self.given(shapes.Saying)["text"])
        return Response(shapes.Said(shapes.conversation_of(ticket), many=True).data, status=201)


class OwnFiles(Receiving, _Portal):
    """A file for it, as a reply of its own: `multipart/form-data` with `file`."""

    parser_classes = (MultiPartParser,)

    @extend_schema(operation_id="portal_file_upload", responses={201: shapes.Said(many=True)},
                   request={"multipart/form-data": {"type": "object", "properties": {
                       "file": {"type": "string", "format": "binary"}}}})  # fmt: skip
    def post(self, request: Request, number: str) -> Response:
        """Answers with the whole conversation."""
        ticket = self.own(number, writes=True)
        _ = request.data  # reads the body
        file = attachment(filing.received(request._request))
        requesting.reply(self.actor, ticket, f"Attached: {file.name}", [file])
        return Response(shapes.Said(shapes.conversation_of(ticket), many=True).data, status=201)


class OwnFile(_Portal):
    """The content of a file of a reply."""

    @extend_schema(
        operation_id="portal_file_content", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, number: str, key: int) -> StreamingHttpResponse:
        """Always as an attachment."""
        return filing.download(request._request, shapes.file_of(self.own(number), key))


class Closing(_Portal):
    """It is solved, or no longer wanted."""

    @extend_schema(operation_id="portal_close", request=None, responses=shapes.PortalTicket)
    def post(self, request: Request, number: str) -> Response:  # noqa: ARG002
        """What was resolved is closed, what was not is withdrawn."""
        ticket = self.own(number, writes=True)
        requesting.close(self.actor, ticket)
        return Response(shapes.PortalTicket(self.own(number)).data)


class Reopening(_Portal):
    """It is not solved."""

    @extend_schema(operation_id="portal_reopen", request=shapes.Saying, responses=shapes.PortalTicket)
    def post(self, request: Request, number: str) -> Response:  # noqa: ARG002
        """For this reason."""
        ticket = self.own(number, writes=True)
        requesting.reopen(self.actor, ticket, self.given(shapes.Saying)["text"])
        return Response(shapes.PortalTicket(self.own(number)).data)


class Rating(_Portal):
    """How whoever asked found what was done."""

    @extend_schema(operation_id="portal_rate", request=shapes.Rating, responses={204: None})
    def post(self, request: Request, number: str) -> Response:  # noqa: ARG002
        """Once, when the platform has asked."""
        person = person_of(self.actor, writes=True)
        survey = Survey.objects.filter(ticket=self.own(number), requester=person).first()
        if survey is None:
            raise NotThere("you were not asked about this ticket")
        data = self.given(shapes.Rating)
        surveying.answer(survey, data["score"], data["comment"], self.actor.address, self.actor.request_id)
        return Response(status=204)
