"""What the page of usage shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from creative_services.adapters.days import days_between
from creative_services.adapters.latency import percentile
from creative_services.adapters.spending import spending
from creative_services.adapters.usage import latencies, total, usage
from creative_services.adapters.usage_table import Names
from creative_services.admin.budgets import bar
from creative_services.admin.charts import Text, stacked_bars
from creative_services.admin.usage_texts import count, money, seconds, share
from creative_services.models import Budget
from creative_services.models.llms import TIERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from django.utils.safestring import SafeString

    from creative_services.adapters.usage import Asked, Group, Llm, Sums, Who
    from creative_services.admin.charts import Chart

MOST_COLOURS = 7
MOST_CALLERS = 10
MOST_LLMS = 50
COLOURS = tuple(f"cs-colour-{number}" for number in range(1, MOST_COLOURS + 1))
REST = "cs-colour-rest"
MONEY = Text(money)
COUNTS = Text(count, least=4)

Name = tuple[str, str]
"""What a colour stands for, and its class."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table, as text. `bar` is the length of its bar in per cent of the longest.

    `times` are the seconds within which half, and 95 % of the calls were answered; none for callers.
    """

    name: str
    note: str
    calls: str
    errors: str
    tokens: str
    cost: str
    unknown_costs: int
    bar: str
    times: Sequence[str]


def page(asked: Asked) -> dict[str, Any]:
    """All that the template needs."""
    by_llm = usage(asked, ("day", "llm"))
    answered = {key[0]: buckets for key, buckets in latencies(asked, ("llm",)).items()}
    everything = total(by_llm)
    return {
        "figures": _figures(everything, sum(answered.values(), Counter())),
        "unknown_costs": everything.calls_of_unknown_cost,
        "charts": _charts(list(days_between(asked.first, asked.last)), by_llm),
        "llms": _llms(by_llm, answered),
        "callers": _callers(usage(asked, ("who",))),
        "budgets": _budgets(),
    }


def _figures(sums: Sums, answered: Counter[int]) -> list[tuple[str, str]]:
    return [
        (_("spent"), money(sums.cost)),
        (_("calls"), count(sums.calls)),
        (_("failed"), share(sums.error_share)),
        (_("half answered within"), seconds(percentile(answered, 0.5))),
        (_("95 % answered within"), seconds(percentile(answered, 0.95))),
        (_("tokens in / out"), _tokens(sums)),
    ]


def _charts(days: Sequence[date], groups: Sequence[Group]) -> list[Chart]:
    tiers = {tier: (str(label), COLOURS[place]) for place, (tier, label) in enumerate(TIERS)}
    llms = _llm_colours(groups)

    def of_tier(llm: Llm) -> Name:
        return tiers.get(llm.tier, (llm.tier, REST))

    def of_llm(llm: Llm) -> Name:
        return llms.get(llm.name, (_("others"), REST))

    wanted = (
        ("spend-by-tier", _("US dollars by tier"), of_tier, _cost, MONEY),
        ("spend-by-llm", _("US dollars by LLM"), of_llm, _cost, MONEY),
        ("calls-by-tier", _("Calls by tier"), of_tier, _calls, COUNTS),
        ("calls-by-llm", _("Calls by LLM"), of_llm, _calls, COUNTS),
    )
    return [
        stacked_bars(id, title, days, _shades(groups, name, amount), text) for id, title, name, amount, text in wanted
    ]


def _cost(sums: Sums) -> Decimal:
    return sums.cost or Decimal(0)


def _calls(sums: Sums) -> int:
    return sums.calls


def _llm_colours(groups: Sequence[Group]) -> dict[str, Name]:
    """The LLMs that cost most have colours of their own, the same in all drawings."""
    weights: defaultdict[str, list[Any]] = defaultdict(lambda: [Decimal(0), 0])
    for group in groups:
        weight = weights[group.key[1].name]
        weight[0] += _cost(group.sums)
        weight[1] += group.sums.calls
    ranked = sorted(weights, key=lambda name: (weights[name], name), reverse=True)
    return {name: (name, colour) for name, colour in zip(ranked, COLOURS, strict=False)}


def _shades(
    groups: Iterable[Group], name_of: Callable[[Llm], Name], amount: Callable[[Sums], Any]
) -> dict[Name, dict[date, Any]]:
    found: defaultdict[Name, dict[date, Any]] = defaultdict(dict)
    for group in groups:
        day, llm = group.key
        of = found[name_of(llm)]
        of[day] = of.get(day, 0) + amount(group.sums)
    # In the order of the colours, with the rest last.
    return {name: found[name] for name in sorted(found, key=lambda name: name[1])}


def _llms(groups: Iterable[Group], answered: Mapping[Llm, Counter[int]]) -> list[Line]:
    found: dict[Llm, Sums] = {}
    for group in groups:
        llm = group.key[1]
        found[llm] = found[llm] + group.sums if llm in found else group.sums
    tiers = dict(TIERS)
    return [
        _line(
            (llm.name, f"{llm.provider} {llm.model}, {tiers.get(llm.tier, llm.tier)}"),
            sums,
            longest,
            answered.get(llm, Counter()),
        )
        for llm, sums, longest in _dearest(found.items(), MOST_LLMS)
    ]


def _callers(groups: Sequence[Group]) -> list[Line]:
    found = list(_dearest(((group.key[0], group.sums) for group in groups), MOST_CALLERS))
    names = Names.with_ids({who.user_id for who, *_ in found}, {who.machine_key_id for who, *_ in found})
    return [_line(_who(who, names), sums, longest) for who, sums, longest in found]


def _who(who: Who, names: Names) -> tuple[str, str]:
    parts = []
    if who.user_id is not None:
        parts.append(names.users.get(who.user_id, _("user %(id)s, deleted") % {"id": who.user_id}))
    if who.machine_key_id is not None:
        name = names.machine_keys.get(who.machine_key_id, _("%(id)s, deleted") % {"id": who.machine_key_id})
        parts.append(_("key %(name)s") % {"name": name})
    return (parts[0] if parts else who.task or _("unnamed")), ", ".join(parts[1:])


def _dearest(found: Iterable[tuple[Any, Sums]], most: int) -> Iterator[tuple[Any, Sums, Decimal]]:
    """Those that cost most, and then those with most calls; each with the highest cost of all."""
    ranked = sorted(found, key=lambda pair: (_cost(pair[1]), pair[1].calls), reverse=True)
    return ((name, sums, _cost(ranked[0][1])) for name, sums in ranked[:most])


def _line(name: tuple[str, str], sums: Sums, longest: Decimal, answered: Counter[int] | None = None) -> Line:
    bar = f"{_cost(sums) / longest * 100:.1f}" if longest else "0"
    times = [] if answered is None else [seconds(percentile(answered, part)) for part in (0.5, 0.95)]
    return Line(
        *name,
        calls=count(sums.calls),
        errors=share(sums.error_share),
        tokens=_tokens(sums),
        cost=money(sums.cost),
        unknown_costs=sums.calls_of_unknown_cost,
        bar=bar,
        times=times,
    )


def _tokens(sums: Sums) -> str:
    return f"{count(sums.input_tokens)} / {count(sums.output_tokens)}"


def _budgets() -> list[tuple[Budget, SafeString]]:
    rows = list(Budget.objects.filter(is_active=True).order_by("name"))
    amounts = spending(rows)
    return [(row, bar(amounts[row.pk])) for row in rows]
