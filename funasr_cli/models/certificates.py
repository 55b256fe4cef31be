"""The certificates by which hubs are trusted: the system's, and those that the usual variables name, for both hubs.

The hubs' clients are built on different libraries, of which one heeds REQUESTS_CA_BUNDLE and the other SSL_CERT_FILE,
and each connects in several places of its own. What all of them heed is a file. So here is one with everything.
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
"""Several folders stand in it with : between. OpenSSL passes over one that is missing, and so do we."""

READ_BY_CLIENTS = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""By requests and by httpx; each goes before the other variables of its library."""

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, UOS, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # openEuler, Kylin, CentOS
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",
)
"""Where administrators put certificates. A Python of its own, such as conda's, looks elsewhere."""

_CERTIFICATE = re.compile(
    rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----.+?-----END (X509 |TRUSTED )?CERTIFICATE-----", re.S
)
_DER = b"\x30\x82"
"""How a certificate begins that is not PEM; Windows saves them so."""


@contextmanager
def trusted_certificates() -> Iterator[None]:
    """Within, every client trusts the certificates of the system, of certifi and of the variables together.

    Raises `ModelError` that names the variable if there is no certificate in what it names. Not for several threads.
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
    """What to do, if a connection failed because the certificate that came is not trusted here."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:  # clients raise errors anew, and so in circles
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
        "  Get your company's CA certificate as a PEM file, and name it:\n"
        "  export REQUESTS_CA_BUNDLE=/path/to/company-ca.pem\n"
        "  CURL_CA_BUNDLE and SSL_CERT_FILE do the same, and SSL_CERT_DIR names a folder; "
        f"set now: {', '.join(named) or 'none'}"
    )


def _certificates() -> list[bytes]:
    """Each certificate once, as PEM."""
    found: dict[bytes, None] = {}
    for name in FILE_VARIABLES:
        if value := os.environ.get(name):
            found |= dict.fromkeys(_named_by(name, Path(value)))
    for path in _in_known_places():
        with suppress(OSError):  # whatever is missing there is not missed while the rest is here
            found |= dict.fromkeys(_in(path))
    return list(found)


def _named_by(variable: str, path: Path) -> list[bytes]:
    """Those in the file, or the folder, that a variable names. Raises `ModelError`."""
    hint = (
        f"{variable} names this file. Set the variable to a PEM file of certificates (-----BEGIN CERTIFICATE-----), "
        "or unset it."
    )
    with reading(path, ModelError, hint=hint):
        found = _in(path)
    if not found:
        raise ModelError("holds no certificate", where=path, hint=hint)
    plain = [each for each in found if not each.startswith(b"-----BEGIN TRUSTED")]  # of OpenSSL, for files only
    try:
        if plain:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=b"\n".join(plain).decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise ModelError(f"a certificate in it is damaged: {error}", where=path, hint=hint) from error
    return found


def _in(path: Path) -> list[bytes]:
    """Those in a file, or in the files of a folder. Raises `OSError`."""
    files = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
    return [certificate for file in files for certificate in _in_bytes(file.read_bytes())]


def _in_bytes(data: bytes) -> list[bytes]:
    if data.startswith(_DER):
        return [ssl.DER_cert_to_PEM_cert(data).strip().encode()]
    return [match[0] for match in _CERTIFICATE.finditer(data)]


def _in_known_places() -> Iterator[Path]:
    """Where the system has its certificates, and those that come with Python's packages."""
    yield from map(Path, filter(None, os.environ.get(FOLDER_VARIABLE, "").split(os.pathsep)))
    paths = ssl.get_default_verify_paths()
    yield from map(Path, (paths.openssl_cafile, *SYSTEM_BUNDLES, paths.openssl_capath))
    with suppress(ImportError):
        import certifi  # comes with requests

        yield Path(certifi.where())
