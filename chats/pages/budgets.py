"""The budgets of this month for the chat page."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats.pages.status import name_services
from chats.pages.turns import show_dollars
from metrics.budgets import OK, BudgetState, read_budgets


@dataclass(frozen=True)
class BudgetLine:
    """A budget in readable form; `label` is empty for all services together."""

    label: str
    spent: str
    limit: str
    percent: int
    unpriced: int
    state: str


@require_safe
def budget(request: HttpRequest) -> HttpResponse:
    """Budgets that are nearly or fully spent, for the line above the message box."""
    response = render(request, "chat/budgets.html", {"budgets": find_warnings(read_lines())})
    response.headers["Cache-Control"] = "no-store"
    return response


def read_lines() -> list[BudgetLine]:
    """Return all budgets in force, that of all services first."""
    budgets = read_budgets()
    labels = name_services([budget.service for budget in budgets]) if budgets else {}
    return [_line(budget, labels.get(budget.service, budget.service)) for budget in budgets]


def find_warnings(lines: list[BudgetLine]) -> list[BudgetLine]:
    """Return those of which 80 percent or more are spent."""
    return [line for line in lines if line.state != OK]


def _line(budget: BudgetState, label: str) -> BudgetLine:
    spent, limit = (show_dollars(nano_usd / 10**9) for nano_usd in (budget.spent_nano_usd, budget.nano_usd))
    return BudgetLine(label if budget.service else "", spent, limit, budget.percent, budget.unpriced, budget.state)
