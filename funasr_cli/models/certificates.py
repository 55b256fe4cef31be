"""CA certificates for both hubs: the system's, and those that the usual environment variables name.

The hubs' clients use different libraries: one reads REQUESTS_CA_BUNDLE, the other SSL_CERT_FILE, and each connects in
several places. All of them accept a file, so this module writes one file with all certificates.
"""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from funasr_cli.errors import ModelError, reading
from funasr_cli.files import printable

FILE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
FOLDER_VARIABLE = "SSL_CERT_DIR"
"""Folders separated by colons. Missing folders are ignored, as OpenSSL does."""

READ_BY_CLIENTS = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables read by requests and by httpx; each takes precedence over the other variables of its library."""

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, UOS, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # openEuler, Kylin, CentOS
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",
)
"""Where administrators put certificates. A self-contained Python, such as conda's, looks elsewhere."""

_CERTIFICATE = re.compile(
    rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----.+?-----END (X509 |TRUSTED )?CERTIFICATE-----", re.S
)
_DER = b"\x30\x82"
"""First bytes of a certificate in DER, the format in which Windows saves them."""


@contextmanager
def trusted_certificates() -> Iterator[None]:
    """Make every client trust the certificates of the system, of certifi and of the variables within this context.

    Raises `ModelError` with the name of the variable if the file that it names has no certificate. Changes the
    environment, so it is not thread-safe.
    """
    before = {name: os.environ.get(name) for name in READ_BY_CLIENTS}
    with tempfile.NamedTemporaryFile(prefix="funasr-cli-", suffix=".pem") as bundle:
        bundle.write(b"\n".join(_certificates()) + b"\n")
        bundle.flush()
        os.environ.update(dict.fromkeys(READ_BY_CLIENTS, bundle.name))
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def certificate_hint(error: BaseException | None) -> str | None:
    """A hint if a connection failed because the server's certificate is not trusted here; otherwise None."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:  # clients re-raise errors, which can make circular chains
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return _what_to_do()
        seen.append(error)
        error = error.__cause__ or error.__context__
    return None


def _what_to_do() -> str:
    named = [
        f"{name}={printable(value)}" for name in (*FILE_VARIABLES, FOLDER_VARIABLE) if (value := os.environ.get(name))
    ]
    return (
        "This machine does not trust the certificate of the hub, or of a proxy that inspects TLS.\n"
        "  Get your company's CA certificate as a PEM file and set:\n"
        "  export REQUESTS_CA_BUNDLE=/path/to/company-ca.pem\n"
        "  CURL_CA_BUNDLE or SSL_CERT_FILE work too, and SSL_CERT_DIR for a folder; "
        f"currently set: {', '.join(named) or 'none'}"
    )


def _certificates() -> list[bytes]:
    """All certificates as PEM, each once."""
    found: dict[bytes, None] = {}
    for name in FILE_VARIABLES:
        if value := os.environ.get(name):
            found |= dict.fromkeys(_named_by(name, Path(value)))
    for path in _in_known_places():
        with suppress(OSError):  # a missing place does not matter if others exist
            found |= dict.fromkeys(_in(path))
    return list(found)


def _named_by(variable: str, path: Path) -> list[bytes]:
    """Certificates in the file or folder that a variable names. Raises `ModelError`."""
    hint = f"{variable} points here. Set it to a PEM file of certificates (-----BEGIN CERTIFICATE-----), or unset it."
    with reading(path, ModelError, hint=hint):
        found = _in(path)
    if not found:
        raise ModelError("contains no certificate", where=path, hint=hint)
    plain = [each for each in found if not each.startswith(b"-----BEGIN TRUSTED")]  # read by OpenSSL from files only
    try:
        if plain:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=b"\n".join(plain).decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise ModelError(f"contains a damaged certificate: {error}", where=path, hint=hint) from error
    return found


def _in(path: Path) -> list[bytes]:
    """Certificates in a file, or in the files of a folder. Raises `OSError`."""
    files = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
    return [certificate for file in files for certificate in _in_bytes(file.read_bytes())]


def _in_bytes(data: bytes) -> list[bytes]:
    if data.startswith(_DER):
        return [ssl.DER_cert_to_PEM_cert(data).strip().encode()]
    return [match[0] for match in _CERTIFICATE.finditer(data)]


def _in_known_places() -> Iterator[Path]:
    """Places of the system's certificates, and the file of certifi."""
    yield from map(Path, filter(None, os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep)))
    paths = ssl.get_default_verify_paths()
    yield from map(Path, (paths.openssl_cafile, *SYSTEM_BUNDLES, paths.openssl_capath))
    with suppress(ImportError):
        import certifi  # comes with requests

        yield Path(certifi.where())
