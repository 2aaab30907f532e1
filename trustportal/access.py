"""Who may do what: permissions, roles, the grants between them, and the person who acts. Pure.

A role is held at the trust or at one school. A grant says what a role may do *where it is held*; a role of the trust
also reaches every school of the trust for the permissions that `EVERYWHERE` names. The matrix of `GRANTS` is tested
against every route of the portal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from trustportal.errors import Forbidden


class Permission(StrEnum):
    """`resource:action`, in alphabetical order."""

    ACCEPTANCE_EVIDENCE = "acceptance:evidence"
    ACCEPTANCE_MANAGE = "acceptance:manage"
    ACCEPTANCE_OVERSEE = "acceptance:oversee"
    ACCEPTANCE_SIGN = "acceptance:sign"
    ACCEPTANCE_TOTALS = "acceptance:totals"
    APPROVAL_DECIDE = "approval:decide"
    APPROVAL_MINUTE = "approval:minute"
    ARCHIVE_AGREE = "archive:agree"
    ARCHIVE_ASK = "archive:ask"
    AUDIT_READ = "audit:read"
    CASE_FIGURES = "case:figures"
    DIVERGENCE_READ = "divergence:read"
    EDITION_DECIDE = "edition:decide"
    EDITION_READ = "edition:read"
    EDITION_SUBMIT = "edition:submit"
    INTEREST_READ = "interest:read"
    JOINING_PREPARE = "joining:prepare"
    OVERRIDE_EDIT = "override:edit"
    OWN_POLICY_EDIT = "own_policy:edit"
    PEOPLE_MANAGE = "people:manage"
    PEOPLE_READ = "people:read"
    PLACEHOLDER_EDIT = "placeholder:edit"
    REGISTER_KEEP = "register:keep"
    REGISTER_READ = "register:read"
    ROUTING_DECIDE = "routing:decide"
    ROUTING_PROPOSE = "routing:propose"
    ROUTING_READ = "routing:read"
    SCHOOL_MANAGE = "school:manage"
    STAND_IN_NAME = "stand_in:name"
    TEMPLATE_EDIT = "template:edit"
    TEMPLATE_PUBLISH = "template:publish"
    TEMPLATE_READ = "template:read"
    TRUST_SETTINGS = "trust:settings"
    WORKFLOW_MANAGE = "workflow:manage"
    WORKFLOW_OVERRIDE = "workflow:override"


class Role(StrEnum):
    """The posts of the field, as `product.md` names them."""

    # at the trust
    NETWORK_MANAGER = "network_manager"
    TRUSTEE = "trustee"
    CHAIR_OF_TRUST_BOARD = "chair_of_trust_board"
    VICE_CHAIR_OF_TRUST_BOARD = "vice_chair_of_trust_board"
    CLERK = "clerk"
    CEO = "ceo"
    HR_LEAD = "hr_lead"
    DPO = "dpo"
    CENTRAL_STAFF = "central_staff"
    # at a school
    HEADTEACHER = "headteacher"
    DEPUTY_HEADTEACHER = "deputy_headteacher"
    CHAIR_OF_GOVERNORS = "chair_of_governors"
    VICE_CHAIR_OF_GOVERNORS = "vice_chair_of_governors"
    GOVERNOR = "governor"
    DSL = "dsl"
    BUSINESS_MANAGER = "business_manager"
    LINE_MANAGER = "line_manager"
    STAFF = "staff"
    SUPPLY = "supply"
    CONTRACTOR = "contractor"
    VOLUNTEER = "volunteer"


ROLE_LABELS: Mapping[Role, str] = {
    Role.NETWORK_MANAGER: "Trust network manager",
    Role.TRUSTEE: "Trustee",
    Role.CHAIR_OF_TRUST_BOARD: "Chair of the trust board",
    Role.VICE_CHAIR_OF_TRUST_BOARD: "Vice-chair of the trust board",
    Role.CLERK: "Governance professional",
    Role.CEO: "Chief executive",
    Role.HR_LEAD: "HR lead",
    Role.DPO: "Data protection officer",
    Role.CENTRAL_STAFF: "Central team",
    Role.HEADTEACHER: "Headteacher",
    Role.DEPUTY_HEADTEACHER: "Deputy headteacher",
    Role.CHAIR_OF_GOVERNORS: "Chair of governors",
    Role.VICE_CHAIR_OF_GOVERNORS: "Vice-chair of governors",
    Role.GOVERNOR: "Governor",
    Role.DSL: "Designated safeguarding lead",
    Role.BUSINESS_MANAGER: "School business manager",
    Role.LINE_MANAGER: "Line manager",
    Role.STAFF: "Member of staff",
    Role.SUPPLY: "Supply teacher",
    Role.CONTRACTOR: "Contractor",
    Role.VOLUNTEER: "Volunteer",
}

TRUST_ROLES: frozenset[Role] = frozenset(
    {
        Role.NETWORK_MANAGER,
        Role.TRUSTEE,
        Role.CHAIR_OF_TRUST_BOARD,
        Role.VICE_CHAIR_OF_TRUST_BOARD,
        Role.CLERK,
        Role.CEO,
        Role.HR_LEAD,
        Role.DPO,
        Role.CENTRAL_STAFF,
    }
)
SCHOOL_ROLES: frozenset[Role] = frozenset(Role) - TRUST_ROLES

#: Officers of the trust see the rows of every school (never the content of cases, which have participants).
OFFICER_ROLES: frozenset[Role] = TRUST_ROLES - {Role.CENTRAL_STAFF}

_SIGNS = frozenset({Permission.ACCEPTANCE_SIGN, Permission.EDITION_READ})
_OFFICER = _SIGNS | {Permission.DIVERGENCE_READ}
_BOARD = _OFFICER | {
    Permission.ACCEPTANCE_TOTALS,
    Permission.APPROVAL_DECIDE,
    Permission.CASE_FIGURES,
    Permission.ROUTING_DECIDE,
    Permission.ROUTING_READ,
    Permission.TEMPLATE_READ,
}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.NETWORK_MANAGER: _OFFICER
    | {
        Permission.ACCEPTANCE_EVIDENCE,
        Permission.ACCEPTANCE_MANAGE,
        Permission.ACCEPTANCE_OVERSEE,
        Permission.ACCEPTANCE_TOTALS,
        Permission.APPROVAL_DECIDE,
        Permission.ARCHIVE_ASK,
        Permission.AUDIT_READ,
        Permission.CASE_FIGURES,
        Permission.JOINING_PREPARE,
        Permission.PEOPLE_MANAGE,
        Permission.PEOPLE_READ,
        Permission.PLACEHOLDER_EDIT,
        Permission.REGISTER_READ,
        Permission.ROUTING_PROPOSE,
        Permission.ROUTING_READ,
        Permission.SCHOOL_MANAGE,
        Permission.TEMPLATE_EDIT,
        Permission.TEMPLATE_PUBLISH,
        Permission.TEMPLATE_READ,
        Permission.TRUST_SETTINGS,
        Permission.WORKFLOW_MANAGE,
    },
    Role.TRUSTEE: _BOARD,
    Role.CHAIR_OF_TRUST_BOARD: _BOARD | {Permission.ARCHIVE_AGREE, Permission.STAND_IN_NAME},
    # Beside the role of trustee, with which they vote.
    Role.VICE_CHAIR_OF_TRUST_BOARD: _OFFICER
    | {
        Permission.ROUTING_DECIDE,
        Permission.ROUTING_READ,
        Permission.STAND_IN_NAME,
        Permission.TEMPLATE_READ,
    },
    Role.CLERK: _OFFICER
    | {
        Permission.APPROVAL_MINUTE,
        Permission.ROUTING_PROPOSE,
        Permission.ROUTING_READ,
        Permission.TEMPLATE_READ,
        Permission.ACCEPTANCE_EVIDENCE,
        Permission.ACCEPTANCE_TOTALS,
        Permission.AUDIT_READ,
        Permission.INTEREST_READ,
    },
    Role.CEO: _OFFICER
    | {
        Permission.CASE_FIGURES,
        Permission.ACCEPTANCE_EVIDENCE,
        Permission.TEMPLATE_READ,
        Permission.ACCEPTANCE_OVERSEE,
        Permission.ACCEPTANCE_TOTALS,
        Permission.APPROVAL_DECIDE,
        Permission.PEOPLE_READ,
        Permission.REGISTER_READ,
    },
    Role.HR_LEAD: _OFFICER
    | {
        Permission.ACCEPTANCE_EVIDENCE,
        Permission.TEMPLATE_READ,
        Permission.ACCEPTANCE_OVERSEE,
        Permission.ACCEPTANCE_TOTALS,
        Permission.PEOPLE_READ,
    },
    Role.DPO: _OFFICER
    | {
        Permission.ACCEPTANCE_EVIDENCE,
        Permission.ACCEPTANCE_TOTALS,
        Permission.ARCHIVE_AGREE,
        Permission.AUDIT_READ,
        Permission.INTEREST_READ,
        Permission.TEMPLATE_READ,
    },
    Role.CENTRAL_STAFF: _SIGNS | {Permission.TEMPLATE_READ},
    Role.HEADTEACHER: _SIGNS
    | {
        Permission.ACCEPTANCE_EVIDENCE,
        Permission.ACCEPTANCE_OVERSEE,
        Permission.ACCEPTANCE_TOTALS,
        Permission.EDITION_SUBMIT,
        Permission.JOINING_PREPARE,
        Permission.OVERRIDE_EDIT,
        Permission.OWN_POLICY_EDIT,
        Permission.PEOPLE_READ,
        Permission.PLACEHOLDER_EDIT,
        Permission.REGISTER_KEEP,
        Permission.REGISTER_READ,
        Permission.TEMPLATE_READ,
        Permission.WORKFLOW_OVERRIDE,
    },
    Role.DEPUTY_HEADTEACHER: _SIGNS | {Permission.TEMPLATE_READ},
    Role.CHAIR_OF_GOVERNORS: _SIGNS
    | {Permission.EDITION_DECIDE, Permission.TEMPLATE_READ, Permission.ACCEPTANCE_TOTALS},
    Role.VICE_CHAIR_OF_GOVERNORS: _SIGNS,
    Role.GOVERNOR: _SIGNS,
    Role.DSL: _SIGNS
    | {Permission.ACCEPTANCE_OVERSEE, Permission.ACCEPTANCE_TOTALS, Permission.REGISTER_READ},
    Role.BUSINESS_MANAGER: _SIGNS
    | {
        Permission.ACCEPTANCE_EVIDENCE,
        Permission.ACCEPTANCE_OVERSEE,
        Permission.ACCEPTANCE_TOTALS,
        Permission.PEOPLE_READ,
        Permission.REGISTER_KEEP,
        Permission.REGISTER_READ,
    },
    Role.LINE_MANAGER: _SIGNS,
    Role.STAFF: _SIGNS,
    Role.SUPPLY: _SIGNS,
    Role.CONTRACTOR: _SIGNS,
    Role.VOLUNTEER: _SIGNS,
}

#: Permissions that a role of the trust carries into every school of the trust.
EVERYWHERE: frozenset[Permission] = frozenset(
    {
        Permission.ACCEPTANCE_EVIDENCE,
        Permission.ACCEPTANCE_MANAGE,
        Permission.ACCEPTANCE_OVERSEE,
        Permission.ACCEPTANCE_TOTALS,
        Permission.EDITION_READ,
        Permission.JOINING_PREPARE,
        Permission.PEOPLE_MANAGE,
        Permission.PEOPLE_READ,
        Permission.PLACEHOLDER_EDIT,
        Permission.REGISTER_READ,
        Permission.SCHOOL_MANAGE,
        Permission.TEMPLATE_READ,
    }
)

#: Permissions that a role of a school gives at the trust's own pages (reading the trust's published text).
UPWARDS: frozenset[Permission] = frozenset({Permission.TEMPLATE_READ})


@lru_cache(1024)
def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """All that the given roles grant at the place where they are held."""
    return frozenset().union(*(GRANTS[role] for role in roles)) if roles else frozenset()


@dataclass(frozen=True, slots=True)
class Actor:
    """A person of one trust who acts, with the roles that hold today. A use case takes it as its first argument.

    `person_id` is None for jobs of the portal itself (`Actor.portal`), which hold no role and pass no `require`.
    """

    trust_id: UUID
    person_id: UUID | None
    account_id: UUID | None = None
    name: str = ""
    trust_roles: frozenset[Role] = frozenset()
    school_roles: Mapping[UUID, frozenset[Role]] = field(default_factory=dict)
    signed_in_by: str = ""
    signed_in_at: str = ""

    @classmethod
    def portal(cls, trust_id: UUID) -> Actor:
        """The portal itself, acting in a job."""
        return cls(trust_id=trust_id, person_id=None, name="TrustPortal")

    @property
    def is_officer(self) -> bool:
        """Whether the rows of every school of the trust are visible to this person."""
        return bool(self.trust_roles & OFFICER_ROLES)

    @property
    def school_ids(self) -> frozenset[UUID]:
        """The schools where this person holds a role today."""
        return frozenset(self.school_roles)

    def roles_at(self, school_id: UUID | None) -> frozenset[Role]:
        """The roles held at a school, or at the trust (None)."""
        return self.trust_roles if school_id is None else self.school_roles.get(school_id, frozenset())

    def can(self, permission: Permission, school_id: UUID | None = None) -> bool:
        """Whether a permission holds at a school, or (None) at the trust."""
        at_trust = permissions_of(self.trust_roles)
        if school_id is None:
            if permission in at_trust:
                return True
            return permission in UPWARDS and any(
                permission in permissions_of(roles) for roles in self.school_roles.values()
            )
        if permission in EVERYWHERE and permission in at_trust and self.is_officer:
            return True
        return permission in permissions_of(self.school_roles.get(school_id, frozenset()))

    def can_anywhere(self, permission: Permission) -> bool:
        """Whether a permission holds at the trust or at any school."""
        return self.can(permission) or any(self.can(permission, school) for school in self.school_roles)

    def require(self, permission: Permission, school_id: UUID | None = None) -> None:
        """Raise `Forbidden` unless `can`."""
        if not self.can(permission, school_id):
            raise Forbidden()
