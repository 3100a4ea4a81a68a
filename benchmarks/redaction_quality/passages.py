"""Passages of insurance documents with numbers and addresses whose places are known.

Belongs here: drawing them. Does not: the recognizers, or counting.

Every passage is drawn: no person, number or address is anybody's. Two collections differ in everything that can be written in
another way: sentences, labels, and the forms of numbers. The recognizers were written with `development` in view; figures are
taken from `test`. Both have hard negatives: numbers of the same length that name nobody.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tvdb_pipeline.redaction.redactor import Span

Half = Literal["development", "test"]
Draw = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Passage:
    """text, and the spans that must not be sent, in order."""

    text: str
    spans: tuple[Span, ...]


def _digits(count: int) -> Draw:
    return lambda draw: "".join(draw.choices("0123456789", k=count))


def _shape(shape: str) -> Draw:
    """`#` a digit, `@` a capital, all else as it stands."""

    def drawn(draw: random.Random) -> str:
        kinds = {"#": "0123456789", "@": "ABCDEFGHJKLMNPQRSTUVWXYZ"}
        return "".join(draw.choice(kinds[sign]) if sign in kinds else sign for sign in shape)

    return drawn


def _ssn(joint: str) -> Draw:
    def drawn(draw: random.Random) -> str:
        area = draw.choice([number for number in range(1, 900) if number != 666])
        return joint.join((f"{area:03}", f"{draw.randint(1, 99):02}", f"{draw.randint(1, 9999):04}"))

    return drawn


def _phone(shape: str) -> Draw:
    def drawn(draw: random.Random) -> str:
        area, exchange, line = draw.randint(201, 989), draw.randint(200, 999), draw.randint(0, 9999)
        return shape.format(area=area, exchange=exchange, line=f"{line:04}")

    return drawn


def _mail(shape: str) -> Draw:
    first, last, host = ("ada", "noor", "tomas", "wen"), ("okafor", "lindqvist", "reyes"), ("example", "mail-example")

    def drawn(draw: random.Random) -> str:
        return shape.format(
            first=draw.choice(first), last=draw.choice(last), host=draw.choice(host), n=draw.randint(1, 99)
        )

    return drawn


# fmt: off
FORMS: dict[Half, list[tuple[str, str, Draw]]] = {
    "development": [
        ("SSN", "Social Security Number: {}", _ssn("-")),
        ("SSN", "SSN {} of the insured", _ssn("-")),
        ("SSN", "SSN: {}", _ssn("")),
        ("SSN", "His social security no. {} is on file.", _ssn(" ")),
        ("PHONE", "Call {} before 5 p.m.", _phone("({area}) {exchange}-{line}")),
        ("PHONE", "Phone: {}", _phone("{area}-{exchange}-{line}")),
        ("PHONE", "Fax {}", _phone("{area}.{exchange}.{line}")),
        ("PHONE", "Tel. {}", _phone("+1 {area} {exchange} {line}")),
        ("EMAIL", "Write to {} within 30 days.", _mail("{first}.{last}@{host}.org")),
        ("EMAIL", "E-mail: {}", _mail("{first}{n}@{host}.com")),
        ("MEMBER_ID", "Member ID: {}", _shape("@#########")),
        ("MEMBER_ID", "Subscriber No. {}", _shape("### ## ####")),
        ("MEMBER_ID", "Member ID | {} |", _shape("@@@-####-######")),
        ("MEMBER_ID", "Medical record number {} was opened.", _digits(8)),
        ("POLICY_NUMBER", "Policy Number: {}", _shape("HO-#######-##")),
        ("POLICY_NUMBER", "under policy no. {} issued", _shape("@@ ########")),
        ("POLICY_NUMBER", "Group No.: {}", _digits(6)),
        ("POLICY_NUMBER", "Certificate # {}", _shape("@#####-###")),
        ("CLAIM_NUMBER", "Claim Number: {}", _shape("##-####-###")),
        ("CLAIM_NUMBER", "Re: claim # {}", _shape("@@########")),
        ("CLAIM_NUMBER", "Authorization No. {} was granted.", _digits(9)),
        ("MEMBER_ID", "ID of member: {}", _shape("@########")),
        ("POLICY_NUMBER", "Policy: {}", _shape("AUTO-20##-######")),
        ("CLAIM_NUMBER", "Our reference: {}", _shape("@@@/####/###")),
        ("MEMBER_ID", "ID card no. {}", _shape("@########")),
        ("MEMBER_ID", "{} (her member ID)", _digits(9)),
        ("POLICY_NUMBER", "Pol# {}", _shape("@@#######")),
        ("POLICY_NUMBER", "the contract of insurance, {}", _shape("@@@-#######-#")),
        ("CLAIM_NUMBER", "ICN: {}", _digits(13)),
        ("CLAIM_NUMBER", "Loss report no. {}", _shape("##-######")),
        ("MEMBER_ID", "member {} called", _digits(9)),
        ("POLICY_NUMBER", "on policy {} since", _shape("@@-#######")),
        ("CLAIM_NUMBER", "regarding claim {},", _digits(11)),
    ],
    "test": [
        ("SSN", "Soc. Sec. No.: {}", _ssn("-")),
        ("SSN", "Employee {}, hired in spring", _ssn("-")),
        ("SSN", "SS# {}", _ssn("")),
        ("SSN", "Taxpayer ID (SSN)\n{}", _ssn(" - ")),
        ("SSN", "spouse's SSN is {}", _ssn(".")),
        ("PHONE", "toll-free at {} (TTY 711)", _phone("1-{area}-{exchange}-{line}")),
        ("PHONE", "Mobile number = {}", _phone("{area}{exchange}{line}")),
        ("PHONE", "Day phone ({area_text}) {}", _phone("{exchange}-{line}")),
        ("PHONE", "reach her on {}", _phone("{area} {exchange} {line}")),
        ("PHONE", "The adjuster's number is {}.", _phone("+1-{area}-{exchange}-{line}")),
        ("PHONE", "From abroad: {}", lambda draw: f"+44 20 7{draw.randint(100, 999)} {draw.randint(1000, 9999)}"),
        ("EMAIL", "<{}> wrote on Monday", _mail("{last}_{first}@{host}.co.us")),
        ("EMAIL", "contact {}, subject: appeal", _mail("{first}+claims{n}@billing.{host}.net")),
        ("EMAIL", "mail {} (scanned)", _mail("{first}.{last} @ {host}.org")),
        ("MEMBER_ID", "Enrollee Identification Number {}", _shape("@@@#########")),
        ("MEMBER_ID", "Medicaid ID#: {}", _shape("########-##")),
        ("MEMBER_ID", "Beneficiary: {}", _shape("1@G#-@E#-@K##")),
        ("MEMBER_ID", "MRN {}", _shape("##-##-##")),
        ("MEMBER_ID", "Alternate ID: {}", _shape("@########")),
        ("MEMBER_ID", "HIC No. {}", _shape("#########A")),
        ("MEMBER_ID", "Member #{}, dependent 02", _shape("@@@########")),
        ("MEMBER_ID", "Insured ID\n{}", _shape("@@######")),
        ("POLICY_NUMBER", "Policy Nbr {}", _shape("##@@###-####")),
        ("POLICY_NUMBER", "Contract Number is {}", _shape("@-######")),
        ("POLICY_NUMBER", "Your policy # {} renews", _shape("### #### ##")),
        ("POLICY_NUMBER", "Cert. No. {}", _shape("@@#######")),
        ("POLICY_NUMBER", "Policy/Certificate No.: {}", _shape("@@@-#######-#")),
        ("CLAIM_NUMBER", "File No {}", _shape("20##-#####")),
        ("CLAIM_NUMBER", "Payer claim control number: {}", _digits(13)),
        ("CLAIM_NUMBER", "Ref # {}", _shape("##-######")),
        ("CLAIM_NUMBER", "Incident {}", _shape("INC-#######")),
        ("CLAIM_NUMBER", "Claim ID: {}", _shape("CLM-########")),
        ("CLAIM_NUMBER", "Case number {} closed", _digits(7)),
    ],
}
"""Kind, what stands around it, and the form of the number."""

NEGATIVES: dict[Half, list[Draw]] = {
    "development": [
        _shape("The deductible is $#,###.## a year."), _shape("Effective 0#/1#/202#."), _shape("CPT 9921# was denied."),
        _shape("Form HO 00 0# 05 11 applies."), _shape("Coverage A is limited to $###,###."),
        _shape("See section 4.#.## on page 1#."), _shape("Springfield, IL 627##-####"), _shape("Coinsurance of ##% applies."),
        _shape("The group has ### employees."), lambda draw: "Your policy number is on your ID card.",
    ],
    "test": [
        _shape("NPI 1#########"), _shape("ICD-10 code M54.## was billed."), _shape("Limit: ##,###,###"),
        _shape("Invoice of 12 March 20## for $####.##"), _shape("Call within 48 hours; allow 10-15 days."),
        _shape("Tax year 20##-20##"), _shape("NDC 0####-####-##"), _shape("Endorsement CG 20 ## 04 13"),
        _shape("Premium 1,2##.#0 in 12 payments of 10#.#0"), _shape("VIN 1HGCM826#3A00####"),
        lambda draw: "Members of group plans pay 20 percent; claim forms are sent in 30 days.",
        _shape("Policy period: 01/01/202# to 01/01/202#"), _shape("Claims: #,### received, ### open"),
        _shape("Suite 4##, 1### Main Street"), _shape("Score 800-555; rows 200-300-4000"),
    ],
}
# fmt: on
_BETWEEN = (" ", "\n", ". ", "; ")


def passages(half: Half, count: int, seed: int) -> Iterator[Passage]:
    """Drawn anew for every seed, the same for the same: three to nine sentences each, two in five of them negatives."""
    draw = random.Random(f"{half} {seed}")
    for _ in range(count):
        text, spans = "", list[Span]()
        for _ in range(draw.randint(3, 9)):
            text += draw.choice(_BETWEEN) if text else ""
            if draw.random() < 0.4:
                text += draw.choice(NEGATIVES[half])(draw)
                continue
            kind, around, form = draw.choice(FORMS[half])
            before, after = around.replace("{area_text}", str(draw.randint(201, 989))).split("{}")
            number = form(draw)
            spans.append(Span(len(text) + len(before), len(text) + len(before) + len(number), kind))
            text += before + number + after
        yield Passage(text, tuple(spans))
