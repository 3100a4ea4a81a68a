"""Sentences for the long booklets, put together from patterns and invented facts, without saying the same thing twice.

What is invented by hand stands in the text folder; the patterns and the choice among them are here.
"""

from collections.abc import Sequence
from random import Random

from drawing.blocks import Block

COVERS = (
    "Granite EPO pays for {covers}.",
    "The plan covers {covers}.",
    "Included under this heading: {covers}.",
    "You have a benefit for {covers}.",
    "We pay for {covers}.",
)
CONDITIONS = (
    "The benefit applies when {condition}.",
    "One condition must be met: {condition}.",
    "We ask that this be true: {condition}.",
    "For payment it is necessary that this holds: {condition}.",
    "Payment depends on a simple test, namely that {condition}.",
)
FIXED = (
    "Your copay for {name} is {cost}, without deductible.",
    "For {name} you hand over a copay of {cost} and nothing more.",
    "Each time you use {name}, the copay comes to {cost}.",
    "The price to you of {name} is a {cost} copay; the deductible is not charged.",
)
SHARED = (
    "After the deductible you pay {cost} of the allowed amount for {name}.",
    "Coinsurance for {name} is {cost} once the deductible is met.",
    "The deductible applies to {name}; beyond it your part is {cost}.",
)
FREE = (
    "You pay nothing for {name} from contracted providers.",
    "There is no charge to you for {name}, and the deductible is waived.",
)
LIMITS = (
    "{limit}.",
    "Limit: {term}.",
    "Limit for {name}: {term}.",
    "A further term of {name}: {term}.",
)
EXCLUDED = (
    "Not included: {excluded}.",
    "The plan does not pay for {excluded}.",
    "Left out of {name}: {excluded}.",
    "You would have to pay yourself for {excluded}.",
)
STARTS = (
    "To begin, call extension {a} at member services, or have the office send form QF-{b} by fax.",
    "{specialist} in {town} takes calls about {name} on weekday mornings; allow {c} days for an answer.",
    "The coordinator for {name}, {person}, returns messages within {c} working days.",
    "Ask for the leaflet numbered G-{a}, which walks through {name} step by step.",
    "Offices in {town} book {name} about {c} days ahead, so plan early.",
    "A nurse reached at extension {a} can tell you which {d} sites nearest to you offer {name}.",
)
RECORDS = (
    "Records of {name} are reviewed every {e} weeks, and we write to you before anything changes.",
    "We look at a sample of {d} charts for {name} each quarter and tell the offices what we found.",
    "If we ask for notes on {name}, the provider has {c} days to send them; you are not charged for copies.",
    "Bring your list of medicines and the results of the last {e} weeks to the first appointment for {name}.",
    "A letter from the provider, no older than {e} weeks, is enough proof for {name}.",
    "For {name}, a progress note is due after the {ordinal} visit.",
)
STORIES = (
    "Example: {person} of {town} was billed ${bill} for {name}. The allowed amount was ${allowed}; the provider wrote"
    " off ${off}.",
    "Suppose that {person} pays ${bill} for {name} while on a trip. We reimburse the allowed amount of ${allowed}, less"
    " the member's share.",
    "When {person} changed offices halfway through {name}, the {d} visits already made still counted toward the limit.",
    "{person} moved to {town} during treatment and kept the same terms for {name} until {c} days had passed.",
    "Last year {f} members used {name}; on average we paid ${allowed} for each of them.",
)
EXCEPTIONS = (
    "No contracted provider within {d}0 miles? Write to us and we will answer about {name} within {c} days.",
    "Children under {d} may be seen for {name} by a contracted children's hospital in another county.",
    "If no appointment for {name} can be had within {e} days, we approve an outside provider at the same cost to you.",
    "An interpreter for {name} can be booked {e} hours ahead, in {c} languages by telephone.",
    "Where {name} takes place in a hospital clinic, a facility fee of up to ${bill} may appear; it is part of the"
    " allowed amount.",
)
PEOPLE = (
    "Agathe Birnbaum", "Osric Tallow", "Ximena Prowse", "Lazlo Wintergreen", "Beatrix Noor", "Fitzroy Amadi",
    "Perpetua Lisle", "Cormac Vandersloot", "Yolanda Eisner", "Thelonius Park", "Ingrid Casaubon", "Mordecai Flint",
    "Sunniva Ratliff", "Gideon Abara", "Clementine Foss", "Ravi Underhill", "Oona Delgado-Pike", "Ezekiel Marrow",
    "Petra Hollingbourne", "Julius Akinde", "Marguerite Spall", "Anselm Truong", "Delphine Orchard", "Bart Keyes",
)  # fmt: skip
TOWNS = (
    "Fernhollow", "Brookmere", "Castine", "Port Eddystone", "Garnet City", "Hollin Bridge", "Inverlock", "Norbeck",
    "Juniper Flats", "Kestrel Ridge", "Saint Merrow", "Pemberly Cross", "Osprey Point", "Farrow Junction",
)  # fmt: skip
SPECIALISTS = ("The program office", "The scheduling desk", "The benefit nurse", "The access team")
ORDINALS = ("fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "twelfth")


class Wording:
    """Chooses patterns so that none comes back before all the others were used."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._left: dict[Sequence[str], list[str]] = {}

    def pick(self, patterns: Sequence[str]) -> str:
        """The next pattern."""
        left = self._left.setdefault(patterns, [])
        if not left:
            left.extend(self.random.sample(patterns, len(patterns)))
        return left.pop()

    def say(self, patterns: Sequence[str], **facts: str) -> str:
        """A sentence with the given facts, and invented ones for the rest."""
        allowed, off = self.random.randint(61, 1480), self.random.randint(12, 390)
        invented = {
            "a": str(self.random.randint(212, 989)),
            "b": str(self.random.randint(101, 399)),
            "c": str(self.random.randint(3, 27)),
            "d": str(self.random.randint(2, 9)),
            "e": str(self.random.randint(4, 19)),
            "f": str(self.random.randint(37, 940)),
            "ordinal": self.pick(ORDINALS),
            "person": self.pick(PEOPLE),
            "town": self.pick(TOWNS),
            "specialist": self.pick(SPECIALISTS),
            "bill": f"{allowed + off:,}",
            "allowed": f"{allowed:,}",
            "off": str(off),
        }
        return self.pick(patterns).format(**(invented | facts))


def service(line: str, wording: Wording) -> list[Block]:
    """One section on a covered service."""
    name, covers, condition, limit, excluded, cost = (part.strip() for part in line.split("|"))
    low = name if name[:2] == "X-" else name[0].lower() + name[1:]
    facts = {"name": low, "covers": covers, "condition": condition, "excluded": excluded, "cost": cost}
    facts |= {"limit": limit, "term": limit[0].lower() + limit[1:]}
    price = FREE if cost == "$0" else SHARED if cost.endswith("%") else FIXED
    rules = [wording.say(price, **facts), wording.say(LIMITS, **facts), wording.say(EXCLUDED, **facts)]
    first = f"{wording.say(COVERS, **facts)} {wording.say(CONDITIONS, **facts)}"
    practical = f"{wording.say(STARTS, **facts)} {wording.say(RECORDS, **facts)}"
    last = f"{wording.say(STORIES, **facts)} {wording.say(EXCEPTIONS, **facts)}"
    as_list = wording.random.random() < 0.4
    terms = [Block("li", rule) for rule in rules] if as_list else [Block("p", " ".join(rules))]
    return [Block("h2", name), Block("p", first), *terms, Block("p", practical), Block("p", last)]
