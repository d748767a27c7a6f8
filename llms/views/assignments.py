"""Assignments over REST."""

from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from llms.bigagi import ASSIGNMENTS
from llms.models import Assignment
from llms.serializers import AssignmentSerializer
from llms.services import assignments as services
from llms.views.records import LlmsRecordViewSet
from stores.api.schema import PURGE, writes


class AssignmentViewSet(mixins.ListModelMixin, LlmsRecordViewSet):
    """Which model serves a domain. A domain that is not here is served automatically."""

    queryset = Assignment.objects.all()
    serializer_class = AssignmentSerializer
    lookup_url_kwarg = "domain"
    orderings = ("uid",)
    shape = AssignmentSerializer

    @writes(request=AssignmentSerializer, responses={200: AssignmentSerializer, 201: AssignmentSerializer})
    def update(self, request: Request, domain: str) -> Response:
        """Make the domain's assignment what the JSON says; one that is not here is made."""
        uid = self.get_uid()
        body = self.read_whole(ASSIGNMENTS.find([uid]).get(uid))
        written, is_new = services.put_assignment(self.get_origin(), uid, body, self.get_precondition())
        return self.answer(written, is_new=is_new)

    def get_current(self) -> Response:
        # One can be put where none is.
        is_here = Assignment.objects.filter(uid=self.get_uid()).exists()
        return super().get_current() if is_here else Response(None)

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, domain: str) -> Response:
        """Delete the assignment: the domain is automatic again."""
        purge = self.read_flag("purge")
        uid, precondition = self.get_uid(), self.get_precondition()
        return self.answer_deletion(services.delete_assignment(self.get_origin(), uid, precondition, purge=purge))
