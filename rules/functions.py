"""The functions an expression may call. Windows end now and reach back over `(now - w, now]` in event time.

The documentation of the language is generated from this table, so each entry says what it gives and its unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.kinds import Kind


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `arguments` spells each form: n number, p point, t numeric point, w duration, c condition,
    s a name in quotes, e an expression that is a number, a any expression, k a whole number or parameter, * any count
    of numbers. `named` are the named ones: w duration, c condition, m anything, k a number or parameter, b one of BY.
    `learns` names what a function learns, empty for one that does not. `unit` is that of the result: `same` as what it
    is given, a `difference` or a `root` of it, it `per` a time, or a unit by name.
    """

    name: str
    arguments: tuple[str, ...]
    kind: Kind | None
    text: str
    named: Mapping[str, str] = field(default_factory=dict, hash=False)
    learns: str = ""
    unit: str = ""


def _table(*functions: Function) -> dict[str, Function]:
    return {function.name: function for function in functions}


NUMBER, CONDITION = Kind.NUMBER, Kind.CONDITION

BY = ("none", "hour", "workday", "workday hour", "weekday", "weekday hour")
"""How a baseline tells its slots apart, in the building's local time; workday is Monday to Friday against the rest."""

_BASELINE = {"by": "b", "mode": "m", "when": "c", "train": "w", "follow": "w"}
_TREND = {"when": "c", "train": "w"}

FUNCTIONS = _table(
    Function("abs", ("n",), NUMBER, "magnitude", unit="same"),
    Function("min", ("*",), NUMBER, "the smallest of two or more numbers; Unknown when one of them is", unit="same"),
    Function("max", ("*",), NUMBER, "the largest of two or more numbers; Unknown when one of them is", unit="same"),
    Function("sqrt", ("n",), NUMBER, "square root; Unknown below zero", unit="root"),
    Function("mean", ("tw",), NUMBER, "arithmetic mean of the good readings in the window", unit="same"),
    Function("lowest", ("tw",), NUMBER, "smallest good reading in the window", unit="same"),
    Function("highest", ("tw",), NUMBER, "largest good reading in the window", unit="same"),
    Function("total", ("tw",), NUMBER, "sum of the good readings in the window", unit="same"),
    Function("deviation", ("tw",), NUMBER, "population standard deviation of the readings in the window",
             unit="difference"),
    Function("delta", ("tw",), NUMBER, "value now minus value a window ago; a counter that fell to less than half"
             " was reset or rolled over and goes on from there", unit="difference"),
    Function("rate", ("tw",), NUMBER, "delta per hour", unit="per h"),
    Function("ago", ("pw",), None, "the value that was in force that long ago", unit="same"),
    Function("changes", ("pw",), NUMBER, "how often the value changed in the window; known from the first reading on"),
    Function("count", ("cw",), NUMBER, "instants in the window with a new reading at which the condition was true;"
             " known from the first reading on"),
    Function("starts", ("cw",), NUMBER, "how often the condition became true in the window"),
    Function("since", ("c",), NUMBER, "seconds since the condition became true without a break; 0 while it is false",
             unit="s"),
    Function("of_last", ("ck",), NUMBER, "at how many of the last so many readings the condition was true: N of M;"
             " known from the first reading on"),
    Function("held", ("a",), NUMBER, "seconds since the value, text or condition last changed", unit="s"),
    Function("switches", ("aw",), NUMBER, "how often the value, text or condition changed in the window"),
    Function("settled", ("aw",), None, "the value, text or condition itself, Unknown until it has held that long: an"
             " operating state with its own mode delay", unit="same"),
    Function("siblings", ("t",), NUMBER, "median of the point over the other assets of the class in the same place (of"
             " the same parent, else of the building); Unknown with fewer than two of them", unit="same"),
    Function("average", ("ew",), NUMBER, "time-weighted mean of an expression over the window; while the window is not"
             " full, over what there is of it; 0 at the first reading", unit="same"),
    Function("sampled", ("ew",), NUMBER, "the expression as it was at the last full multiple of the duration since the"
             " first reading", unit="same"),
    Function("cusum", ("ew",), NUMBER, "cumulative sum of the expression, added once per duration, never below zero: a"
             " small deviation that stays on one side adds up", unit="difference"),
    Function("since_visit", ("t",), NUMBER, "how far a counter went since the last recorded visit; when there was none,"
             " since what the site file gives as `at_last_visit` (0 without)", unit="difference"),
    Function("baseline", ("n",), NUMBER, "what the number usually is on this asset, by hour of the day and mode;"
             " Unknown while it is being learnt", _BASELINE, "baseline", unit="same"),
    Function("off_baseline", ("n",), NUMBER, "how far the number lies from its baseline, in usual spreads (standard"
             " deviations), below it negative; Unknown while it is being learnt", {**_BASELINE, "least": "k"},
             "baseline"),
    Function("off_together", ("*",), NUMBER, "how far several numbers together lie from how they went together while"
             " they were learnt: 1 is as far as one reading in a hundred was; give smoothed numbers, like mean(p, ...)",
             {"when": "c", "train": "w", "follow": "w"}, "joint"),
    Function("trend", ("n",), NUMBER, "slope of the number's daily means, a day; Unknown until there are days enough",
             _TREND, "trend", unit="per d"),
    Function("days_to_limit", ("nn",), NUMBER, "days until the trend of the first number rises to the second; 0 beyond"
             " it, 3650 when it is not surely rising", {**_TREND, "sure": "k"}, "trend", unit="d"),
    Function("days_to_floor", ("nn",), NUMBER, "days until the trend of the first number falls to the second; 0 beyond"
             " it, 3650 when it is not surely falling", {**_TREND, "sure": "k"}, "trend", unit="d"),
    Function("rising_confidence", ("n",), NUMBER, "how sure the daily means rise, 0 to 100 (below 50 they rather fall)",
             _TREND, "trend", unit="%"),
    Function("silent", ("w", "pw"), CONDITION, "no good reading of the point (of any point of the asset) for that long,"
             " counted in time we were listening; a length from a parameter is at least three cadences, of an asset"
             " those of its quickest point; false until the first reading"),
    Function("never_seen", ("w", "pw"), CONDITION, "not one good reading of the point (of any point of the asset)"
             " since we began to listen, that long ago or longer; a length from a parameter as for `silent`"),
    Function("out_of_range", ("p",), CONDITION, "the last reading lay outside the point's validity range"),
    Function("flagged_stuck", ("p",), CONDITION, "the last reading was flagged as a sensor that no longer moves"),
    Function("flagged_spike", ("p",), CONDITION, "the last reading was flagged as an isolated jump"),
    Function("occupied", ("",), CONDITION, "people are expected in the building now, by its hours in the site file"),
    Function("since_occupied", ("",), NUMBER, "seconds since people were last expected; 0 while they are", unit="s"),
    Function("until_occupied", ("",), NUMBER, "seconds until people are expected next; 0 while they are", unit="s"),
    Function("weekday", ("",), NUMBER, "day of the week in the building's zone, 0 is Monday"),
    Function("hour", ("",), NUMBER, "hour of the day in the building's zone, 0 to 23"),
    Function("design", ("s",), NUMBER, "a nameplate figure of the asset from the site file"),
)  # fmt: skip

WINDOWED = frozenset({"mean", "lowest", "highest", "total", "deviation", "delta", "rate", "ago", "changes"})
FROM_CONDITION = frozenset({"count", "starts", "since", "of_last"})
FROM_NUMBER = frozenset({"average", "sampled", "cusum"})
FROM_ANY = frozenset({"held", "switches", "settled"})
TIMERS = frozenset({"since", "held"})
"""Seconds that run on by themselves: compared with a limit they wake the rule exactly when they reach it."""

CALENDAR = frozenset({"occupied", "since_occupied", "until_occupied", "hour", "weekday"})
OF_HOURS = frozenset({"occupied", "since_occupied", "until_occupied"})
FLAGS = frozenset({"out_of_range", "flagged_stuck", "flagged_spike"})
SILENCE = frozenset({"silent", "never_seen"})
LEARNING = frozenset(function.name for function in FUNCTIONS.values() if function.learns)
