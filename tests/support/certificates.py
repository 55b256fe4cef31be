"""A certificate authority like that of a company, and a server's certificate signed by it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Authority:
    """`certificate` is the PEM file for clients to trust; `tls` is for a server on this machine."""

    certificate: Path
    tls: ssl.SSLContext


def make_authority(folder: Path) -> Authority:
    """Make an authority in `folder`; skip the test if the command openssl is missing."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the command openssl to make certificates")
    folder.mkdir()
    authority, key, server = folder / "ca.pem", folder / "ca.key", folder / "server.pem"
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    _call(
        *new, "-subj", "/CN=Company CA", "-addext", "keyUsage=critical,keyCertSign", "-keyout", key, "-out", authority
    )
    signed = ("-CA", authority, "-CAkey", key, "-addext", "basicConstraints=critical,CA:FALSE")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    _call(*new, *signed, *names, "-keyout", folder / "server.key", "-out", server)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(server, folder / "server.key")
    return Authority(authority, tls)


def _call(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
