"""A small time stamping authority (RFC 3161) of the tests' own: real HTTP on this machine, keys made anew each time."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def der(tag: int, content: bytes) -> bytes:
    """One value in DER."""
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    return der(0x30, b"".join(parts))


def number(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *others = map(int, dotted.split("."))
    written = bytes([first * 40 + second])
    for one in others:
        digits = [one & 0x7F]
        while one := one >> 7:
            digits.insert(0, 0x80 | (one & 0x7F))
        written += bytes(digits)
    return der(0x06, written)


def parts_of(content: bytes) -> list[tuple[int, bytes, bytes]]:
    """The values inside a constructed one: (tag, content, the whole)."""
    found, at = [], 0
    while at < len(content):
        tag, size, head = content[at], content[at + 1], 2
        if size & 0x80:
            count = size & 0x7F
            size, head = int.from_bytes(content[at + 2 : at + 2 + count], "big"), 2 + count
        found.append((tag, content[at + head : at + head + size], content[at : at + head + size]))
        at += head + size
    return found


SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"))
TST_INFO, SIGNED_DATA = "1.2.840.113549.1.9.16.1.4", "1.2.840.113549.1.7.2"


@dataclass
class Authority:
    """An authority with a root of its own. `away`: it answers with an error."""

    root_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    away: bool = False
    asked: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self.root = self._certificate("Root of the tests", self.root_key, self.root_key, "Root of the tests")
        self.leaf = self._certificate("Stamps of the tests", self.key, self.root_key, "Root of the tests")

    @staticmethod
    def _certificate(
        name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, issuer: str
    ) -> x509.Certificate:
        at, is_root = datetime.now(UTC), name == issuer
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - timedelta(days=1))
            .not_valid_after(at + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
            )
        )
        if is_root:
            made = made.add_extension(
                x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
            )
        else:
            made = made.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
            )
        return made.sign(by, hashes.SHA256())

    @property
    def roots(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.PEM)

    def answer(self, request: bytes) -> bytes:
        """The response to a request: a token over the imprint and the nonce that it carries."""
        self.asked += 1
        inside = parts_of(parts_of(request)[0][1])
        imprint = inside[1][2]
        nonce = next(whole for tag, _, whole in inside[2:] if tag == 0x02)
        now = datetime.now(UTC)
        info = sequence(
            number(1),
            oid("1.3.6.1.4.1.99999.1"),
            imprint,
            number(self.asked),
            der(0x18, now.strftime("%Y%m%d%H%M%SZ").encode()),
            nonce,
        )
        certificate = self.leaf.public_bytes(serialization.Encoding.DER)
        attributes = sorted(
            [
                sequence(oid("1.2.840.113549.1.9.3"), der(0x31, oid(TST_INFO))),
                sequence(oid("1.2.840.113549.1.9.4"), der(0x31, der(0x04, hashlib.sha256(info).digest()))),
                sequence(
                    oid("1.2.840.113549.1.9.16.2.47"),
                    der(
                        0x31,
                        sequence(sequence(sequence(der(0x04, hashlib.sha256(certificate).digest())))),
                    ),
                ),
            ]
        )
        signed = b"".join(attributes)
        signer = sequence(
            number(1),
            sequence(self.leaf.issuer.public_bytes(), number(self.leaf.serial_number)),
            SHA256,
            der(0xA0, signed),
            sequence(oid("1.2.840.10045.4.3.2")),
            der(0x04, self.key.sign(der(0x31, signed), ec.ECDSA(hashes.SHA256()))),
        )
        data = sequence(
            number(3),
            der(0x31, SHA256),
            sequence(oid(TST_INFO), der(0xA0, der(0x04, info))),
            der(0xA0, certificate),
            der(0x31, signer),
        )
        return sequence(sequence(number(0)), sequence(oid(SIGNED_DATA), der(0xA0, data)))


@contextmanager
def serving() -> Iterator[Authority]:
    """The authority at an address of this machine."""
    authority = Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            if authority.away:
                self.send_error(503)
                return
            answer = authority.answer(request)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    authority.url = f"http://127.0.0.1:{server.server_address[1]}/stamp"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
