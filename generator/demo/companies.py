"""The demo's accounts: six invented companies, in zones with and without daylight saving time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from generator.errors import RollupError

if TYPE_CHECKING:
    from datetime import tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """An account of the support desk.

    `zone` is the zone that its clocks show and `setting` the name that the application keeps for
    it; `share` is its part of all conversations, `bot` the part of its own that a bot answers
    first, `pace` how long an agent takes to answer, in seconds, on average.
    """

    id: int
    name: str
    zone: str
    setting: str
    share: float
    bot: float
    pace: float
    inboxes: int
    staff: tuple[str, ...] = field(repr=False)

    @property
    def agents(self) -> dict[int, str]:
        """The names of the agents by their ids, which no two companies share."""
        return {self.id * 100 + number: name for number, name in enumerate(self.staff, 1)}

    @property
    def inbox_ids(self) -> list[int]:
        """The ids of the inboxes, which no two companies share."""
        return [self.id * 10 + number for number in range(self.inboxes)]

    def clock(self) -> tzinfo:
        """Return the zone for reckoning; RollupError where the system knows none."""
        try:
            return ZoneInfo(self.zone)
        except ZoneInfoNotFoundError as error:
            raise RollupError(
                f"this system knows no time zone {self.zone}",
                hint="install the system's time zone data, or pip install tzdata",
            ) from error


def _company(number: int, name: str, zone: str, people: str, **more: float) -> Company:
    return Company(
        id=number,
        name=name,
        zone=zone,
        setting={"Asia/Kolkata": "Chennai"}.get(zone, zone),  # as Rails has it
        share=more["share"],
        bot=more["bot"],
        pace=more["pace"],
        inboxes=int(more["inboxes"]),
        staff=tuple(people.split()),
    )


COMPANIES = (
    _company(
        1,
        "Blaufink Bikes",
        "Europe/Berlin",
        "Anneke Bastian Carla Detlef Edda Falk Greta Henrik Ilse Jannis Katja Lennart Marit Nils",
        share=0.30,
        bot=0.20,
        pace=1500,
        inboxes=4,
    ),
    _company(
        2,
        "Quillhaven Books",
        "America/New_York",
        "Abigail Brooks Cyrus Delia Emmett Flora Gideon Hazel Isaac June Kendra Lowell",
        share=0.24,
        bot=0.00,
        pace=2400,
        inboxes=3,
    ),
    _company(
        3,
        "Monsoon Tea Traders",
        "Asia/Kolkata",
        "Aditi Bhaskar Chitra Dev Esha Farhan Gauri Harish Indira Jaya",
        share=0.18,
        bot=0.35,
        pace=1200,
        inboxes=3,
    ),
    _company(
        4,
        "Caju e Cacau",
        "America/Sao_Paulo",
        "Aline Bruno Cecilia Davi Elisa Fabio Gilda Heitor",
        share=0.13,
        bot=0.25,
        pace=3000,
        inboxes=2,
    ),
    _company(
        5,
        "Plainclock Systems",
        "UTC",
        "Ari Blake Casey Drew Emery Frankie",
        share=0.10,
        bot=0.50,
        pace=900,
        inboxes=2,
    ),
    _company(
        6,
        "Muttonbird Surf",
        "Australia/Lord_Howe",
        "Alba Banjo Coral Darcy",
        share=0.05,
        bot=0.00,
        pace=5400,
        inboxes=1,
    ),
)
