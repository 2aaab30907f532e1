"""The PDFs of policies, composed from a frozen snapshot: no rows are loaded here, nothing is fetched, no clock is read.

`snapshot` says what stands on paper, `gathering` makes its parts from the domain's own shapes, `compose` makes the
HTML and the PDF. The same snapshot gives the same bytes, so that a PDF is made once and can be made again.
"""

from __future__ import annotations

from trustportal.policies.pdf.compose import (
    certificate_html,
    make_certificate,
    make_paper,
    make_policy,
    make_redline,
    policy_html,
    redline_html,
)
from trustportal.policies.pdf.gathering import (
    change_entries,
    clauses_of_edition,
    clauses_of_tree,
    header_rows,
    redline_changes,
)
from trustportal.policies.pdf.snapshot import (
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

__all__ = [
    "Approval",
    "CertificatePrint",
    "ChangeEntry",
    "PolicyPrint",
    "PrintClause",
    "PrintKind",
    "RedlineChange",
    "RedlinePrint",
    "VersionRow",
    "certificate_html",
    "change_entries",
    "clauses_of_edition",
    "clauses_of_tree",
    "header_rows",
    "make_certificate",
    "make_paper",
    "make_policy",
    "make_redline",
    "policy_html",
    "redline_changes",
    "redline_html",
]
