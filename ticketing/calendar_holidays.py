"""Public holidays of a country and its make-up working days, from the `holidays` package (pure data, no I/O).

Make-up days: a weekend day on which China works to pay for a day off. The package knows the State Council's notices
year by year; a year without a notice yet is provisional, and says so.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays
from holidays.registry import EntityLoader


@dataclass(frozen=True, slots=True)
class CountryHolidays:
    """Which public holidays a calendar keeps: ISO 3166 country code and, where the law differs, its subdivision."""

    country: str
    subdivision: str | None = None
    make_up_days: bool = True

    def __post_init__(self) -> None:
        # Not `list_supported_countries`: it loads what is known of every country.
        if self.country not in EntityLoader.get_country_codes(include_aliases=True):
            msg = f"holidays of country {self.country!r} are not known; write an ISO 3166 code such as CN, DE or US"
            raise ValueError(msg)
        subdivisions = getattr(holidays, self.country).subdivisions
        if self.subdivision is not None and self.subdivision not in subdivisions:
            known = ", ".join(subdivisions) or "none"
            msg = f"{self.subdivision!r} is not a known subdivision of {self.country}; known are: {known}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """One year: holiday -> its name, the make-up working days, and whether the notice for the year is still to come."""

    days: dict[date, str]
    make_up: frozenset[date]
    provisional: bool


@lru_cache(maxsize=512)
def holiday_year(source: CountryHolidays, year: int) -> HolidayYear:
    """The holidays of one local year. Callers must not change the dict. About 1 ms, once a year and country."""
    known = holidays.country_holidays(source.country, subdiv=source.subdivision, years=year, language="en_US")
    moved = getattr(known, "weekend_workdays", ()) if source.make_up_days else ()
    make_up = frozenset(day for day in moved if day.year == year)
    noticed = [int(known_year) for known_year in getattr(known, "special_public_holidays", {})]
    provisional = bool(getattr(known, "has_substituted_holidays", False)) and year > max(noticed, default=year)
    return HolidayYear({day: str(name) for day, name in known.items() if day.year == year}, make_up, provisional)


@lru_cache(maxsize=64)
def holiday_names_zh(source: CountryHolidays, year: int) -> dict[date, str]:
    """The holidays of one local year by their Chinese names, where the package knows them."""
    known = holidays.country_holidays(source.country, subdiv=source.subdivision, years=year, language="zh_CN")
    chinese = {day: str(name) for day, name in known.items() if any(ord(one) >= 0x2E80 for one in str(name))}
    return {day: name for day, name in chinese.items() if day.year == year}
