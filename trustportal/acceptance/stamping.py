"""Asking a time stamping authority (RFC 3161), and checking what it answered.

Only the operator's settings name the authority; no address ever comes from a page or from a row. A redirect is not
followed: it would be another's choice.

What builds and checks stamps is loaded when it is first wanted: most installations have no authority.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 15
_LONGEST = 64 * 1024


class StampingFailed(Exception):
    """The authority did not answer, or not with a stamp that holds."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The authority's whole answer, and the time that it names."""

    response: bytes
    stamped_at: datetime


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


def ask(url: str, roots: bytes, words: bytes) -> Stamp:
    """Have words stamped. `roots`: the authority's root certificates, PEM. Raises `StampingFailed`."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    if urlsplit(url).scheme not in {"http", "https"}:
        raise StampingFailed("the authority's address is no web address")
    request = (
        TimestampRequestBuilder()
        .data(words)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    # A proxy of the machine's environment would be another's choice too.
    opener = urllib.request.build_opener(_NoRedirect(), urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(
            urllib.request.Request(  # noqa: S310 - http and https only, see above
                url,
                data=request.as_bytes(),
                headers={"Content-Type": "application/timestamp-query", "User-Agent": "TrustPortal"},
            ),
            timeout=_TIMEOUT_SECONDS,
        )
        with answer:
            response = answer.read(_LONGEST + 1)
    except (OSError, HTTPException, urllib.error.URLError) as error:
        raise StampingFailed(f"no answer: {type(error).__name__}") from error
    if len(response) > _LONGEST:
        raise StampingFailed("the answer is too long")
    return Stamp(response, check(response, roots, words, nonce=request.nonce))


def check(response: bytes, roots: bytes, words: bytes, *, nonce: int | None = None) -> datetime:
    """The time that a stamp of some words names. Raises `StampingFailed` where it does not hold."""
    from cryptography import x509
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        decoded = decode_timestamp_response(response)
        builder = VerifierBuilder()
        for root in x509.load_pem_x509_certificates(roots):
            builder = builder.add_root_certificate(root)
        if nonce is not None:
            builder = builder.nonce(nonce)
        builder.build().verify_message(decoded, words)
        return decoded.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise StampingFailed(f"the stamp does not hold: {error}") from error
