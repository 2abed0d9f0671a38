"""What happens in a conversation, in seconds of the company's own clock since its 1970."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from generator.demo.companies import Company

_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600
_OPENING, _CLOSING = 9 * _HOUR, 18 * _HOUR
_NEXT_WORKDAY = (1, 1, 1, 1, 3, 2, 1)  # days ahead, from Monday
_PATIENCE = 7 * _DAY
"""After how long without an answer the application itself resolves a conversation."""


class Happening(NamedTuple):
    """Something that took from `since` until `until`, by an agent or by none."""

    name: str
    since: int
    until: int
    agent: int | None


def told(rng: random.Random, company: Company, agent: int, opened: int) -> Iterator[Happening]:
    """Tell a conversation from its beginning; what comes later may lie in the future."""
    yield Happening("conversation_opened", opened, opened, None)
    now = opened
    if rng.random() < company.bot:
        automatic = list(_with_bot(rng, agent, opened))
        yield from automatic
        if automatic[-1].name == "conversation_bot_resolved":
            return
        now = automatic[-1].until
    for turn in range(1 + min(8, int(rng.expovariate(0.45)))):
        answered = _answered(rng, now, company.pace)
        yield Happening("reply_time" if turn else "first_response", now, answered, agent)
        now = answered + _seconds(rng, _HOUR)  # when the customer writes again
    fate = rng.random()
    if fate < 0.06:
        yield Happening("conversation_resolved", opened, now + _PATIENCE, None)
    elif fate < 0.95:
        resolved = _answered(rng, now, company.pace)
        yield Happening("conversation_resolved", opened, resolved, agent)
        if fate < 0.14:
            yield from _reopened(rng, company, agent, opened, resolved)


def working_seconds(since: int, until: int) -> float:
    """Count the seconds between two moments that are within working hours."""
    return float(_worked(until) - _worked(since))


def _with_bot(rng: random.Random, agent: int, opened: int) -> Iterator[Happening]:
    """Let a bot resolve it, for good or not, or hand it off: twice if the customer insists."""
    now = opened + _seconds(rng, 2 * _MINUTE)
    if rng.random() < 0.5:
        yield Happening("conversation_resolved", opened, now, None)
        yield Happening("conversation_bot_resolved", opened, now, None)
        if rng.random() < 0.85:
            return
        resolved, now = now, now + _seconds(rng, 5 * _HOUR)
        yield Happening("conversation_opened", resolved, now, None)
    yield Happening("conversation_bot_handoff", opened, now, agent)
    if rng.random() < 0.2:
        now += _seconds(rng, 20 * _MINUTE)
        yield Happening("conversation_bot_handoff", opened, now, agent)


def _reopened(
    rng: random.Random, company: Company, agent: int, opened: int, resolved: int
) -> Iterator[Happening]:
    back = resolved + _seconds(rng, _DAY)
    answered = _answered(rng, back, company.pace)
    again = answered + _seconds(rng, _HOUR)
    yield Happening("conversation_opened", resolved, back, None)
    yield Happening("reply_time", back, answered, agent)
    yield Happening("conversation_resolved", opened, again, agent)


def _answered(rng: random.Random, since: int, pace: float) -> int:
    """When an agent answers: within working hours, but for some who look in at other times."""
    at = since + _seconds(rng, pace)
    day, second = divmod(at, _DAY)
    weekday = (day + 3) % 7  # 1970 began on a Thursday
    if rng.random() < (0.25 if weekday > 4 else 0.05):
        return at
    if weekday > 4 or second >= _CLOSING:
        at = (day + _NEXT_WORKDAY[weekday]) * _DAY + _OPENING + _seconds(rng, _HOUR)
    elif second < _OPENING:
        at = day * _DAY + _OPENING + _seconds(rng, _HOUR)
    return at


def _worked(moment: int) -> int:
    """Count the seconds within working hours since the Monday before 1970."""
    day, second = divmod(moment, _DAY)
    week, weekday = divmod(day + 3, 7)
    today = min(max(second - _OPENING, 0), _CLOSING - _OPENING) if weekday < 5 else 0
    return (week * 5 + min(weekday, 5)) * (_CLOSING - _OPENING) + today


def _seconds(rng: random.Random, mean: float) -> int:
    return 1 + int(rng.expovariate(1 / mean))
