"""What a report says in words."""

from datetime import UTC, datetime

from chaos.reporting.measures import SHORT, Measures

MONTH = 30 * 24 * 60  # minutes
ASKED = 0.999

#: What a verdict's lists mean.
WRONG = {
    "lost": "Acknowledged, but not there",
    "doubled": "Two for one place and time, or for one request",
    "altered": "Elsewhere than was acknowledged",
    "refused": "Refused, but done",
    "revived": "Cancelled, but not free",
    "undecided": "Accepted, but never decided",
    "slots": "Rows that aren't what bookings occupy",
    "exceeded": "More than a quota allows",
    "impossible": "Refused as taken when nobody had it",
    "misread": "Boards and lists that said something else",
    "unheard": "Events that a listener lacks, or got too early",
    "contradicted": "Events that say something else than the rows",
}

TERMS = {
    "Request": "One HTTP request. A member sends it again, with the same key, until it is answered "
    "or patience runs out; together that is what a member wanted once.",
    "Answered": "With a status below 500. A refusal is an answer; an error, a time-out and a lost "
    "connection are not.",
    "Nobody could book for": "The longest stretch without a successful write that began, or went "
    "on, while the fault was there. It counts from the fault on, and from when somebody was "
    "waiting for an answer; it ends with the next success, even if that is after the recovery. "
    "Writes are requests that book, queue, move or cancel; to be told to come back later (429) is "
    "no success.",
    "Nobody could read for": "The same of requests that only read: boards, searches, one's own "
    "bookings, and looking again at a queued request.",
    "Without an answer": "What members wanted while the fault was there and, however often they "
    "asked, got no answer to.",
    "A fault lasts": "From when something is broken until every node says again that it is well.",
    "Time without bookings": f"The sum of all stretches longer than {SHORT:g} s without a "
    "successful write, of the whole run, whatever the reason.",
    "By second": "Each request counts in the second in which it was sent.",
}


def percent(share: float) -> str:
    """Write a share so that it never looks like all, or nothing, when it isn't."""
    if share in (0.0, 1.0):
        return f"{share * 100:.0f} %"
    for digits in (2, 3, 4, 5):
        if f"{share * 100:.{digits}f}" not in (f"{100:.{digits}f}", f"{0:.{digits}f}"):
            return f"{share * 100:.{digits}f} %"
    return "nearly 100 %" if share > 0.5 else "nearly 0 %"


def seconds(value: float | None) -> str:
    if value is None:
        return "–"
    if value >= 120:
        return f"{int(value // 60)} min {value % 60:.0f} s"
    if value >= 10:
        return f"{value:.1f} s"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%-d %B %Y, %H:%M}"


def clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def meaning(measures: Measures) -> list[str]:
    """Say what the run's availability means for a month."""
    if measures.duration <= 0:
        return ["Nothing was measured."]
    without = measures.without_writes
    share = 1 - without / measures.duration
    allowed = (1 - ASKED) * MONTH
    found = [
        f"Of {seconds(measures.duration)}, nobody could book for {seconds(without)}: bookings were "
        f"available {percent(share)} of the time. A month in which something breaks as often as in "
        f"this run would lack {(1 - share) * MONTH:,.0f} minutes of bookings; 99.9 % allows "
        f"{allowed:.0f}."
    ]
    if measures.hits:
        every = measures.duration / len(measures.hits)
        cost = without / len(measures.hits)
        found.append(
            f"But here something broke every {seconds(every)}. Each fault cost {seconds(cost)} "
            f"without bookings on average, so 99.9 % leaves room for {_room(allowed * 60, cost)} "
            "such faults a month."
        )
    return found


def _room(allowed: float, cost: float) -> str:
    if cost <= 0:
        return "any number of"
    return f"{allowed / cost:,.0f}"
