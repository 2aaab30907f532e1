"""PDFs of editions and versions: made once by a job, stored, and served."""

from __future__ import annotations

import hashlib

from trustportal import blobs
from trustportal.policies import queries
from trustportal.times import today


def test_an_edition_and_its_version_have_their_pdfs(at_ashgrove, client_for, client):
    at_ashgrove.answer("administrators", "Three administrators.")
    at_ashgrove.submit_and_approve()
    at_ashgrove.world.run_jobs()
    with at_ashgrove.world.looking():
        edition = queries.find_edition_in_force(at_ashgrove.policy_id, at_ashgrove.school.id, today())
        assert edition is not None
        assert edition.pdf_hash is not None
        assert hashlib.sha256(blobs.get(edition.pdf_hash).content).hexdigest() == edition.pdf_hash
        version = queries.find_latest_version(at_ashgrove.policy_id)
        assert version is not None
        assert queries.find_version_pdf(version.id) is not None

    served = client_for(at_ashgrove.teacher).get(at_ashgrove.url("editions/1.2.pdf"))
    assert served.status_code == 200
    assert served.mimetype == "application/pdf"
    assert served.data.startswith(b"%PDF-1.7")
    public = client.get(
        f"/p/{at_ashgrove.world.slug}/{at_ashgrove.school.slug}/policies/{at_ashgrove.slug}.pdf"
    )
    assert public.data == served.data
