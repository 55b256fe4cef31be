"""Behind a proxy that inspects TLS: both hubs trust the certificates in the usual variables; the error names them."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from funasr_cli.errors import ModelError
from funasr_cli.models import certificates
from funasr_cli.models.download import pull
from tests.models.conftest import FILES, TOY, point_clients_at
from tests.models.test_download import HUBS, content, silent
from tests.support.certificates import Authority, make_authority
from tests.support.hub import Hub, serving


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nothing on this machine trusts."""
    return make_authority(tmp_path_factory.mktemp("company") / "ca")


@pytest.fixture
def tls_hub(company: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with `toy` and a certificate of the company; no variable names the authority."""
    for name in (*certificates.FILE_VARIABLES, certificates.FOLDER_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    toys = Hub(dict(FILES))
    with serving(toys, company.tls) as url:
        point_clients_at(url, tmp_path, monkeypatch)
        monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
        yield toys


@pytest.mark.parametrize("variable", certificates.FILE_VARIABLES)
@pytest.mark.parametrize("name", HUBS)
def test_each_variable_counts_for_both_hubs(
    tls_hub: Hub, store: Path, company: Authority, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    monkeypatch.setenv(variable, str(company.certificate))
    pull(TOY, store / "toy", name, None, silent)
    assert content(store / "toy") == FILES
    assert os.environ[variable] == str(company.certificate)
    assert not set(certificates.READ_BY_CLIENTS).difference([variable]) & set(os.environ)


@pytest.mark.parametrize("name", HUBS)
def test_a_folder_of_certificates_counts_and_so_does_the_form_that_windows_saves(
    tls_hub: Hub, store: Path, company: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "company.cer").write_bytes(ssl.PEM_cert_to_DER_cert(company.certificate.read_text()))
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere:{folder}")
    pull(TOY, store / "toy", name, None, silent)
    assert content(store / "toy") == FILES


@pytest.mark.parametrize("name", HUBS)
def test_what_the_system_trusts_counts_beside_what_a_variable_names(
    tls_hub: Hub, store: Path, company: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    other = make_authority(tmp_path / "other")
    monkeypatch.setattr(certificates, "SYSTEM_BUNDLES", (str(company.certificate),))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(other.certificate))
    pull(TOY, store / "toy", name, None, silent)
    assert content(store / "toy") == FILES


@pytest.mark.parametrize("name", HUBS)
def test_a_certificate_that_nobody_vouches_for_is_refused_with_what_to_do(
    tls_hub: Hub, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    other = make_authority(tmp_path / "other").certificate
    monkeypatch.setenv("CURL_CA_BUNDLE", str(other))
    with pytest.raises(ModelError) as caught:
        pull(TOY, store / "toy", name, None, silent)
    said = str(caught.value)
    assert "cannot be downloaded" in said
    assert "export REQUESTS_CA_BUNDLE=/path/to/company-ca.pem" in said
    assert f"currently set: CURL_CA_BUNDLE={other}" in said
    assert "models import toy.tar" in said
    assert not (store / "toy").exists()


@pytest.mark.parametrize("variable", certificates.FILE_VARIABLES)
def test_a_variable_that_names_no_certificate_is_named(
    tls_hub: Hub, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    damaged = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    for data, what in (
        (None, "No such file"),
        (b"", "contains no certificate"),
        (damaged, "damaged"),
        (b"\x30\x82x", "damaged"),
    ):
        path = tmp_path / "ca.pem"
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
        monkeypatch.setenv(variable, str(path))
        with pytest.raises(ModelError, match=rf"(?s){path}: .*{what}.*{variable} points here\. Set it to"):
            pull(TOY, store / "toy", "modelscope", None, silent)


def test_certificates_of_a_system_that_has_none_are_no_error(
    tls_hub: Hub, store: Path, company: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "_in_known_places", lambda: iter([Path("/nowhere")]))
    monkeypatch.setenv("SSL_CERT_FILE", str(company.certificate))
    pull(TOY, store / "toy", "huggingface", None, silent)
    assert content(store / "toy") == FILES


def test_errors_that_were_raised_in_circles_are_looked_at_once() -> None:
    first, second = OSError("reset"), ValueError("503")
    first.__context__, second.__context__ = second, first
    assert certificates.certificate_hint(first) is None
    second.__cause__ = ssl.SSLCertVerificationError("self-signed")
    assert "REQUESTS_CA_BUNDLE" in (certificates.certificate_hint(first) or "")
