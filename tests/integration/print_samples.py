"""Snapshots to print: a school's edition of 110 clauses in words of our own, a redline, a certificate."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import replace
from datetime import date
from random import Random

from trustportal.policies.domain.clauses import Kind, Weight
from trustportal.policies.domain.diff import redline
from trustportal.policies.domain.resolve import Origin
from trustportal.policies.pdf import (
    Approval,
    CertificatePrint,
    ChangeEntry,
    PolicyPrint,
    PrintClause,
    PrintKind,
    RedlineChange,
    RedlinePrint,
    VersionRow,
)

SECTIONS = (
    ("Why we have this policy", ""),
    ("Who it is for", ""),
    (
        "Accounts in the school’s name",
        "What it says about accounts holds for groups, pages and channels too.",
    ),
    ("Personal use", ""),
    ("Pictures and consent", ""),
    ("Pupils online", ""),
    ("Parents and carers", ""),
    ("When something goes wrong", ""),
    ("Keeping records", ""),
    ("Reviewing this policy", ""),
)
_WHO = (
    "Every member of staff",
    "The head of school",
    "Anyone who posts for the school",
    "A governor or volunteer",
    "The custodian of an account",
    "Whoever is asked by a parent",
)
_MUST = (
    "checks first that the people in a picture have agreed to it being shown",
    "keeps to the same courtesy online as in the playground or the staff room",
    "tells the office on the same day if a password may be known to somebody else",
    "answers questions about a pupil by telephone or face to face, never in a comment",
    "passes on what is worrying before the end of the day, and does not look into it alone",
    "reads this policy again each September and says so in the portal",
    "keeps a note of what was asked, what was answered, and on which day",
)
_BECAUSE = (
    "A post travels further than the person who wrote it expects, and it cannot be called back.",
    "Families choose what they share about their children; we do not choose for them.",
    "What is friendly between adults can look different to a child who reads it later.",
    "Small mistakes are put right quickly when they are known, and rarely when they are hidden.",
    "Nobody is expected to answer messages in the evening, at the weekend or in the holidays.",
    "The school’s name belongs to everyone who works and learns there, so it is used with care.",
)
_TABLE = """How long we keep things:

| What | Where | How long |
| --- | --- | --- |
| The form that asked for an account | Register of accounts | Until the account is closed, and two years |
| A note of a comment that was hidden | Comment log | One school year |
| A picture with names | Nowhere | Not kept |
"""
_LIST = """Before a post goes out, somebody other than its writer looks at:

- whether it names a child;
- whether the place can be recognised, and *when* the children are there;
- whether it would still be right **in five years**.

Doubts go to [the trust’s guidance](https://guidance.larkfield.example/social-media).
"""
FINGERPRINT = hashlib.sha256(b"a sample").hexdigest()
CHECK = "https://policies.larkfield.example/check/" + FINGERPRINT[:20]


def _text(words: Random, sentences: int) -> str:
    parts: list[str] = []
    for _ in range(sentences):
        parts.append(f"{words.choice(_WHO)} {words.choice(_MUST)}. {words.choice(_BECAUSE)}")
    return " ".join(parts[:2]) + ("\n\n" + " ".join(parts[2:]) if parts[2:] else "")


def clauses(count: int = 110) -> tuple[PrintClause, ...]:
    """`count` clauses in ten sections and two appendices: all origins, lists, tables, sub-clauses, a sub-heading."""
    words = Random(7)  # noqa: S311 (words for a sample)
    made: list[PrintClause] = []
    each = (count - len(SECTIONS) - 2) // (len(SECTIONS) + 2)
    for number, (heading, intro) in enumerate(SECTIONS, 1):
        made.append(PrintClause(str(number), 1, Kind.SECTION, heading, intro))
        if number == 4:
            made.append(PrintClause("", 2, Kind.SUBHEADING, "Outside working hours"))
        for place in range(1, each + 1):
            label = f"{number}.{place}"
            text = _text(words, 3)
            if place == 3 and number in (3, 5):
                text = _LIST
            if place == 4 and number == 9:
                text = _TABLE
            one = PrintClause(label, 2, Kind.CLAUSE, "", text)
            if place == 2 and number in (1, 3, 6, 8):
                one = replace(one, heading="What we ask of each other")
            if place == 4 and number in (3, 6):
                one = replace(
                    one, origin=Origin.ADAPTED, reason="Our office keeps the register, not the site team."
                )
            if place == 5 and number in (3, 7):
                one = replace(one, origin=Origin.ADDED, reason="Agreed by governors in May after a trip.")
            if place == 6 and number in (5, 7):
                one = replace(
                    one, origin=Origin.LEFT_OUT, number="", text="", reason="We have no sixth form."
                )
            if place == 7 and number in (3, 8):
                one = replace(one, depth=3, number=f"{number}.6.1")
            made.append(one)
    for letter, heading in (("A", "Form: asking for an account"), ("B", "Who to turn to")):
        made.append(PrintClause(f"Appendix {letter}", 1, Kind.APPENDIX, heading))
        made.extend(
            PrintClause(f"{letter}.{place}", 2, Kind.CLAUSE, "", _text(words, 2))
            for place in range(1, each + 1)
        )
    while len(made) < count:
        made.append(PrintClause(f"B.{each + count - len(made)}", 2, Kind.CLAUSE, "", _text(words, 1)))
    return tuple(made)


def png(width: int = 240, height: int = 96) -> bytes:
    """A logo: two colours, no words."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(
        b"\0"
        + b"".join(
            b"\x1f\x4b\x7a"
            if (x - 48) ** 2 + (y - 48) ** 2 < 44**2 or (x > 110 and y % 24 < 10)
            else b"\xff\xff\xff"
            for x in range(width)
        )
        for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


EDITION = PolicyPrint(
    kind=PrintKind.EDITION,
    title="Social media policy",
    organisation="Larkfield Academies Trust",
    place="Ashgrove Primary School",
    version_label="3.2",
    status="Approved by the chair of governors on 2 September 2026, effective on 4 September 2026.",
    header=(
        ("Reference", "LAT-SM-03"),
        ("Who it is for", "All staff, governors, volunteers, supply staff and contractors"),
        ("Person responsible", "Trust network manager"),
        ("Approving body", "Board of trustees"),
        ("Approved on", "2 September 2026"),
        ("Effective on", "4 September 2026"),
        ("Reviewed", "Every year"),
        ("Next review due", "1 September 2027"),
        ("Statutory", "No"),
        ("Availability", "Public"),
        ("Related policies", "Safeguarding; Code of conduct; Acceptable use of computers"),
    ),
    clauses=clauses(),
    content_hash=FINGERPRINT,
    check_url=CHECK,
    made_on=date(2026, 9, 3),
    logo=png(),
    versions=(
        VersionRow("3.2", date(2026, 9, 2), date(2026, 9, 4), "Chair of governors"),
        VersionRow("3.1", date(2026, 7, 9), date(2026, 9, 1), "Board of trustees"),
        VersionRow("2.4", date(2026, 1, 15), date(2026, 1, 19), "Local governing body"),
        VersionRow("1.1", date(2025, 8, 28), date(2025, 9, 1), "Board of trustees"),
    ),
    changes=(
        ChangeEntry(
            "3.4",
            "Who keeps the register",
            "Changed",
            "Our office keeps the register.",
            Weight.MATERIAL,
            "Head of school",
            "Chair of governors",
            date(2026, 9, 2),
            "3.2",
        ),
        ChangeEntry(
            "7.5",
            "Pictures from residential trips",
            "Added",
            "Agreed by governors in May.",
            Weight.MATERIAL,
            "Head of school",
            "Chair of governors",
            date(2026, 9, 2),
            "3.2",
        ),
        ChangeEntry(
            "5.6",
            "Sixth-form societies",
            "Left out",
            "We have no sixth form.",
            Weight.EDITORIAL,
            "Head of school",
            "Chair of governors",
            date(2026, 9, 2),
            "3.2",
        ),
        ChangeEntry(
            "8.2",
            "What we ask of each other",
            "Changed and moved",
            "It was read in two ways.",
            Weight.EDITORIAL,
            "Trust network manager",
            "Board of trustees",
            date(2026, 7, 9),
            "3.1",
        ),
        ChangeEntry(
            "4.3",
            "Text messages to pupils",
            "Removed",
            "",
            Weight.MATERIAL,
            "Trust network manager",
            "Board of trustees",
            date(2026, 7, 9),
            "3.1",
        ),
    ),
    approvals=(
        Approval(
            "Board of trustees", "Majority of those entitled", date(2026, 7, 9), "T/26/41", "Minuted decision"
        ),
        Approval("Local governing body", "Chair of governors", date(2026, 9, 2), "", "Vote in the portal"),
    ),
    public=True,
)
DRAFT_VERSION = replace(
    EDITION,
    kind=PrintKind.VERSION,
    place="",
    version_label="4",
    status="A draft for comment until 1 December 2026. It is not approved and applies to nobody.",
    watermark="DRAFT",
    check_url="",
    approvals=(),
    versions=(VersionRow("4", None, None, ""), *EDITION.versions[1:]),
    clauses=tuple(
        replace(
            one, origin=Origin.TRUST, reason="", note="Schools may change this" if one.number == "2.2" else ""
        )
        for one in EDITION.clauses
        if one.origin is not Origin.LEFT_OUT
    ),
    logo=None,
    colour="#f2c400",
    public=False,
)
SHORT = replace(EDITION, clauses=EDITION.clauses[:6], changes=(), versions=EDITION.versions[:1], logo=None)

_OLD = (
    "Staff ask the head before they open an account.\n\nThe register is kept by the site team, in the office."
)
_NEW = "Staff ask the head of school before they open or close an account.\n\nThe register is kept by the office."
REDLINE = RedlinePrint(
    title="Social media policy",
    organisation="Larkfield Academies Trust",
    place="Ashgrove Primary School",
    old_label="edition 3.1",
    new_label="edition 3.2",
    old_hash=hashlib.sha256(b"old").hexdigest(),
    new_hash=FINGERPRINT,
    changes=(
        RedlineChange(
            "3.4",
            "3.3",
            "Changed",
            redline("Register", "The register"),
            redline(_OLD, _NEW),
            "Our office keeps the register.",
            Weight.MATERIAL,
        ),
        RedlineChange("7.5", "", "Added", (), redline("", "Pictures from a trip wait until we are home.")),
        RedlineChange("", "4.3", "Removed", (), redline("Text messages are sent by the office only.", "")),
    ),
    unchanged=107,
    made_on=date(2026, 9, 3),
)
CERTIFICATE = CertificatePrint(
    person="Morgan Ellery",
    role="Teaching assistant",
    organisation="Larkfield Academies Trust",
    place="Ashgrove Primary School",
    statement="I have read the policy and I will keep to it.",
    policy="Social media policy",
    edition_label="3.2",
    content_hash=FINGERPRINT,
    signed_at="7 September 2026 at 08:41 in England (07:41 UTC)",
    evidence_id="E-2026-000417",
    made_on=date(2026, 9, 7),
    facts=(("Signed in by", "Password and a code"),),
    check_url=CHECK,
)
