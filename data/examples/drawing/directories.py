"""Two generated parts of the evidence of coverage: the counties of the service area, and the classes of drugs."""

from drawing.blocks import Block, table
from drawing.clauses import Wording

OPENINGS = (
    "The {county} County office is at {address}, {seat}, telephone 555-01{phone}.",
    "In {county} County, visit us at {address} in {seat} or call 555-01{phone}.",
    "Members in {county} County are served from {address}, {seat}; the number is 555-01{phone}.",
    "Our {county} County counter stands at {address} in {seat}. Telephone: 555-01{phone}.",
)
HOSPITALS = (
    "{hospital} has {beds} beds and is the county's contracted hospital for emergencies and births.",
    "Inpatient care is given at {hospital}, where {beds} beds are under contract.",
    "The contracted hospital is {hospital}, with {beds} beds and a heart catheter room.",
    "For hospital care go to {hospital}; it has {beds} beds and a children's ward.",
)
LANGUAGES = (
    "Staff speak {language} besides English.",
    "A clerk in {seat} who speaks {language} is there every day.",
    "Service in {language} is available at the counter.",
    "You may write or speak to the office in {language}.",
)
NUMBERS = (
    "The county has {doctors} primary physicians, {therapists} therapists and {clinics} urgent care centers.",
    "Under contract here: {doctors} primary physicians, {therapists} therapists, {clinics} urgent care centers.",
    "You can choose among {doctors} primary physicians and {therapists} therapists; {clinics} urgent care centers are"
    " open late.",
)
EXTRAS = (
    "Parking costs nothing for the first {minutes} minutes.",
    "Bus {bus} stops at the door every {minutes} minutes.",
    "The {seat} counter closes at noon on the last Friday of the month for training.",
    "Papers dropped in the green box at {address} before {hour} p.m. are scanned the same day.",
    "A blood pressure station in the lobby may be used by anyone until {hour} p.m.",
)
MONITORING = (
    "With {name}, {watch} should be checked at least every {weeks} weeks.",
    "Pharmacists expect {watch} to be on record before the refill in week {weeks}.",
    "For {name} we ask the prescriber to report {watch} every {weeks} weeks.",
)
STEPS = (
    "The first step is {step}; after {days} days without success another drug is paid for.",
    "Try {step} before a brand of tier 3 or 4. A fair trial of it lasts {days} days.",
    "Step therapy starts from {step}, for {days} days.",
)
QUANTITIES = (
    "No more than {count} units of {name} are filled in 30 days unless an exception is approved.",
    "The usual ceiling is {count} units per 30 days; double strength counts once.",
    "Up to {count} units a month are filled without question.",
)
NOTES = (
    "In {year} the committee added {added} products of this kind and dropped {dropped}.",
    "{added} products are on the list, {dropped} of them generic.",
    "A pharmacist at Larchmont, extension {extension}, advises on {name}.",
    "If supply runs short for more than {days} days, a listed substitute is charged at the lower tier.",
)


def county(line: str, wording: Wording) -> list[Block]:
    """One county of the service area."""
    name, seat, hospital, language, address = (part.strip() for part in line.split("|"))
    random = wording.random
    facts = {"county": name, "seat": seat, "hospital": hospital, "language": language, "address": address}
    facts |= {"phone": str(random.randint(10, 99)), "beds": str(random.randint(48, 610))}
    facts |= {"doctors": str(random.randint(19, 340)), "therapists": str(random.randint(7, 160))}
    facts |= {"clinics": str(random.randint(2, 14)), "bus": str(random.randint(4, 88))}
    facts |= {"minutes": str(random.randint(12, 75)), "hour": str(random.randint(2, 6))}
    opening = f"{wording.say(OPENINGS, **facts)} {wording.say(HOSPITALS, **facts)}"
    rest = [wording.say(patterns, **facts) for patterns in (NUMBERS, LANGUAGES, EXTRAS)]
    hours = [["Day", "Counter open"]]
    hours.append(["Monday to Thursday", f"{random.randint(7, 9)} a.m. to {random.randint(4, 7)} p.m."])
    hours.append(["Friday", f"{random.randint(8, 10)}:30 a.m. to {random.randint(1, 4)} p.m."])
    look = random.choice(("ruled", "plain", "zebra"))
    return [Block("h2", f"{name} County"), Block("p", opening), Block("p", " ".join(rest)), table(hours, (2, 3), look)]


def drug_class(line: str, wording: Wording) -> list[Block]:
    """One class of drugs."""
    name, watch, step = (part.strip() for part in line.split("|"))
    random = wording.random
    facts = {"name": name[0].lower() + name[1:], "watch": watch, "step": step}
    facts |= {"weeks": str(random.randint(6, 52)), "days": str(random.randint(14, 95))}
    facts |= {"count": str(random.randint(4, 180)), "added": str(random.randint(8, 31))}
    facts |= {"dropped": str(random.randint(1, 7)), "year": str(random.randint(2021, 2024))}
    facts |= {"extension": str(random.randint(212, 989))}
    families = [MONITORING, QUANTITIES, NOTES] if step == "no other drug" else [MONITORING, STEPS, QUANTITIES, NOTES]
    return [Block("h2", name), Block("p", " ".join(wording.say(family, **facts) for family in families))]
