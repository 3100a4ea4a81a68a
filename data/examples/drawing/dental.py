"""Sections on single dental procedures, for part E of the dental certificate."""

from drawing.blocks import Block
from drawing.clauses import Wording

OFTEN = (
    "{name} is paid once in {months} months for the same tooth or area.",
    "We pay for {low} no more often than every {months} months.",
    "The interval between two payments for {low} is {months} months.",
    "Time limit for {low}: {months} months.",
)
CLASSES = (
    "{name} belongs to the {kind} class.",
    "The class of {low} is {kind}.",
    "We pay the percentage of the {kind} class for {low}.",
    "The row {kind} in part A shows our percentage for {low}.",
)
PROOF = (
    "The claim for {low} must show the {proof}.",
    "With the bill for {low} send the {proof}.",
    "Our consultant looks at the {proof} before {low} is paid.",
    "For {low} the dentist keeps the {proof} for {years} years.",
)
PARTS = (
    "Local anesthetic and {part} are part of the fee for {low}.",
    "The fee includes {part} and visits during the {days} days that follow.",
    "No separate charge may be made for {part} within {days} days of {low}.",
    "If {part} is billed apart from {low}, you do not owe it to a dentist under contract.",
)
SPECIAL = (
    "For members under {age} a dentist may ask for an earlier repeat of {low}.",
    "{person} of our dental desk, extension {extension}, answers questions on {low}.",
    "In {year} we paid for {low} {count} times, and refused {refused} claims.",
    "If {low} has to be done over within {days} days, the same dentist does so without charge.",
    "An estimate is wise when {low} is one of several services planned within {days} days.",
    "In the {season} of {year} the fee for {low} was last compared with those of {offices} offices.",
)
PROOFS = ("date of the last one", "first X-ray", "tooth number and surfaces", "gum chart", "written plan")
SEASONS = ("spring", "summer", "fall", "winter")
MONTHS = {"Preventive": (4, 13), "Basic": (12, 36), "Major": (48, 96)}
PARTED = ("polishing", "the X-ray taken during the visit", "removal of old material", "advice", "a check of the bite")


def procedure(line: str, wording: Wording) -> list[Block]:
    """One procedure."""
    name, kind, _ = (part.strip() for part in line.split("|"))
    random = wording.random
    thing, _, which = name.partition(", ")
    full = f"{thing} ({which})" if which else thing
    facts = {"name": full, "low": full[0].lower() + full[1:], "kind": kind, "season": wording.pick(SEASONS)}
    facts |= {"months": str(random.randint(*MONTHS[kind])), "proof": wording.pick(PROOFS)}
    facts |= {"years": str(random.randint(4, 10)), "offices": str(random.randint(12, 95))}
    facts |= {"part": wording.pick(PARTED), "days": str(random.randint(11, 180)), "age": str(random.randint(6, 17))}
    facts |= {"extension": str(random.randint(212, 989)), "year": str(random.randint(2020, 2024))}
    facts |= {"count": f"{random.randint(40, 7900):,}", "refused": str(random.randint(3, 39))}
    families = (OFTEN, CLASSES, PROOF, PARTS, SPECIAL)
    return [Block("h2", full), Block("p", " ".join(wording.say(family, **facts) for family in families))]
