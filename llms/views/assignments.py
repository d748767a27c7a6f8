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
    """Which model is used for a domain. A domain without an assignment uses an automatic choice."""

    queryset = Assignment.objects.all()
    serializer_class = AssignmentSerializer
    lookup_url_kwarg = "domain"
    orderings = ("uid",)

    @writes(request=AssignmentSerializer, responses={200: AssignmentSerializer, 201: AssignmentSerializer})
    def update(self, request: Request, domain: str) -> Response:
        """Replace or create the domain's assignment."""
        uid = self.get_uid()
        body = self.read_record(ASSIGNMENTS.find([uid]).get(uid))
        written, is_new = services.put_assignment(self.get_origin(), uid, body, self.get_precondition())
        return self.answer(written, is_new=is_new)

    def get_current(self) -> Response:
        # One can be put where none is.
        is_here = Assignment.objects.filter(uid=self.get_uid()).exists()
        return super().get_current() if is_here else Response(None)

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, domain: str) -> Response:
        """Delete the assignment. The domain then uses an automatic choice."""
        return self.answer_purge(services.delete_assignment, self.get_precondition())
