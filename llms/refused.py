"""Optional parameters that services refused: they are left out of the next calls, and tried again after a while."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from llms.bigagi import STORE
from llms.calls.refusals import USAGE
from llms.models import RefusedParameter, Service
from stores.background.threads import in_thread
from stores.records.codecs import JSONObject
from stores.records.journal.recorder import count_up

KEPT = timedelta(days=30)
"""How long a parameter is left out before it is tried again."""

logger = structlog.get_logger("llms")


@dataclass(frozen=True)
class ServiceRefusals:
    """What a service refused for one of its models at one address (`path_of`), as it was when the model was read."""

    service: str
    model: str
    address: str
    found: tuple[tuple[str, datetime], ...] = ()

    def current(self) -> frozenset[str]:
        """Return the parameters that are left out now."""
        since = now() - KEPT
        return frozenset(name for name, at in self.found if at > since)

    async def remember(self, parameters: frozenset[str]) -> None:
        """Note parameters without which the service answered. An answer that comes is worth more: nothing is raised."""
        try:
            await in_thread(_remember, self, parameters)
        except Exception:
            logger.exception("a refused parameter could not be noted", service=self.service)


def find_refused_by(service: str, model: str, address: str) -> ServiceRefusals:
    """Return what a service refused for the model of this name."""
    rows = RefusedParameter.objects.filter(service_uid=service, model_ref__in=("", model), address=address)
    return ServiceRefusals(service, model, address, tuple(rows.values_list("parameter", "refused_at")))


def current_refusals(addresses: Mapping[str, str]) -> dict[str, list[RefusedParameter]]:
    """Return what is left out now, by the ids of services; `addresses` has the one (`path_of`) of each."""
    found: dict[str, list[RefusedParameter]] = {uid: [] for uid in addresses}
    if not found:
        return found
    for row in RefusedParameter.objects.filter(service_uid__in=addresses, refused_at__gt=now() - KEPT):
        if row.address == addresses[row.service_uid]:
            found[row.service_uid].append(row)
    return found


def tell_refusals(addresses: Mapping[str, str]) -> dict[str, JSONObject]:
    """Return the member `refused` of the API's facts on those of the services that have one."""
    return {
        uid: {
            "refused": [
                {
                    "parameter": row.parameter,
                    "model": row.model_ref,
                    "refusedAt": _ms(row.refused_at),
                    "triedAgainAt": _ms(row.refused_at + KEPT),
                }
                for row in rows
            ]
        }
        for uid, rows in current_refusals(addresses).items()
        if rows
    }


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def forget_refusals(rows: QuerySet[RefusedParameter]) -> int:
    """Delete what was refused, so that it is sent again with the next call; return how much that was."""
    with transaction.atomic():
        count, _ = rows.delete()
        if count:
            # Services show it, and their ETag is the store's; so is what cached models are read from.
            count_up({STORE})
    return count


def _remember(refusals: ServiceRefusals, parameters: Iterable[str]) -> None:
    at = now()
    rows = [
        # A server that tells no usage tells none for any of its models; other parameters differ by model.
        RefusedParameter(
            service_uid=refusals.service,
            model_ref="" if name == USAGE else refusals.model[:200],
            parameter=name,
            address=refusals.address,
            refused_at=at,
        )
        for name in parameters
    ]
    with transaction.atomic():
        _delete_stale(refusals, at)
        RefusedParameter.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["service_uid", "model_ref", "parameter"],
            update_fields=["address", "refused_at"],
        )
        count_up({STORE})


def _delete_stale(refusals: ServiceRefusals, at: datetime) -> None:
    """Delete what holds no more: what is old, of another address of the service, or of a service that is gone."""
    moved = Q(service_uid=refusals.service) & ~Q(address=refusals.address)
    # Virtual services are no rows.
    gone = ~Q(service_uid__in=Service.objects.values("uid")) & ~Q(service_uid__startswith="bigagi-")
    RefusedParameter.objects.filter(Q(refused_at__lte=at - KEPT) | moved | gone).delete()
