"""What looks like a credential does not leave. Not proven here: that a secret without a form of its own is not in an
answer; that is the work of whoever makes the answer."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from rich.console import Console

from tests.whatif.report import answers
from whatif.answer import Answer
from whatif.report.document import document
from whatif.report.markdown import markdown
from whatif.report.masking import MASK, masked, masked_answer
from whatif.report.page import page
from whatif.report.text import print_answer

BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
"""Of a key; stands for what must not be seen of one."""

# Written in parts, so that no scanner of this repository takes them for real ones.
PEM = f"-----BEGIN {'PRIVATE'} KEY-----\n{BODY}\nsecondLine+/=\n-----END {'PRIVATE'} KEY-----"
CREDENTIALS = {
    "pem": (PEM, BODY),
    "pem of RSA": (PEM.replace("BEGIN ", "BEGIN RSA ").replace("END ", "END RSA "), BODY),
    "pem in JSON": (PEM.replace("\n", "\\n"), BODY),
    "pem without an end": (PEM.split("\nsecond")[0], BODY),
    "pem in base64": ("LS0tLS1CRUdJTi" + "BQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTg==", "BQUklWQVRFIEtFWS0t"),
    "jwt": ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    "docker configuration": ("eyJhdXRocyI6eyJnaGNyLmlvIjp7ImF1dGgi", "JhdXRocyI6"),
    "github token": ("ghp_" + "0123456789abcdefghijABCDEFGHIJ012345", "0123456789abcdef"),
    "github app token": ("ghs_" + "0123456789abcdefghijABCDEFGHIJ012345", "0123456789abcdef"),
    "github fine-grained token": ("github_pat_" + "11ABCDEFG0123456789_abcdefghij", "0123456789_abc"),
    "gitlab token": ("glpat-" + "ABCdef-0123456789xyz", "0123456789xyz"),
    "aws key": ("AKIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7"),
    "google token": ("ya29." + "a0AfH6SMBx-0123_456", "AfH6SMB"),
    "google api key": ("AIza" + "SyA0123456789abcdefghijklmnopqrstuv", "0123456789abc"),
    "pulumi token": ("pul-" + "0123456789abcdef0123456789abcdef01234567", "0123456789abc"),
    "bcrypt": ("$2a$10$" + "N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "9qo8uLOick"),
    "url": ("https://robot:hunter2@charts.example.com/x", "hunter2"),
    "url with a sign in the password": ("https://robot:hun@ter2@charts.example.com/x", "ter2"),
    "url of a token": ("oci://hunter2@registry.example.com", "hunter2"),
    "bearer": ("Authorization: Bearer hunter2.x", "hunter2"),
    "basic": ("authorization: Basic cm9ib3Q6aHVudGVyMg==", "cm9ib3Q6"),
    "key id": ('"private_key_id": "hunter2hunter2"', "hunter2"),
    "key field": ('\\"private_key\\": \\"hunter2hunter2\\"', "hunter2"),
    "client secret": ("client_secret=hunter2", "hunter2"),
    "refresh token": ('refreshToken: "hunter2"', "hunter2"),
    "password before and after": ("adminPassword: hunter1 -> hunter2", "hunter2"),
    "password in the CLI's diff": ('password: "hunter1" => "hunter2"', "hunter2"),
    "ciphertext": ("v1:9tS0kQHmXK5yQe1B:" + "3mFTu1vXf0Pq9xgk2l7mZQ==", "3mFTu1vXf0"),
    "salt": ("encryptionsalt: v1:Fk1Hc3uWmNs=:v1:9tS0kQHmXK5yQe1B:3mFTu1vXf0Pq9x==", "9tS0kQHm"),
    "encrypted key": ("encryptedkey: CiQAhunter2hunter2/abc=", "hunter2"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), CREDENTIALS.values(), ids=CREDENTIALS)
@pytest.mark.parametrize(
    "around", ["{}", "before {} after", '{{"a": "{}"}}', "- name: {}\n  next: 1", "+ {}"]
)
def test_a_credential_is_masked(text: str, secret: str, around: str) -> None:
    shown = masked(around.format(text))
    assert secret not in shown
    assert MASK in shown
    assert masked(shown) == shown


def test_what_stands_around_it_stays() -> None:
    assert masked(f"before {PEM} after") == f"before {MASK} after"
    assert masked("see https://a:b@host/path?x=1 there") == f"see https://{MASK}@host/path?x=1 there"
    assert masked("adminPassword: one -> two, more") == f"adminPassword: {MASK}, more"
    assert masked(f"{PEM}\nbetween\n{PEM}") == f"{MASK}\nbetween\n{MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "https://charts.example.com/index.yaml@2.11.0",
        "https://charts.example.com/a?mail=a@example.com",
        "ssh://git@github.com/org/repo",
        "git@github.com:org/repo",
        "robot@project.iam.gserviceaccount.com",
        "quay.io/argoproj/argocd:v3.5.1@sha256:" + "0" * 64,
        "apps/v1: Deployment",
        "automountServiceAccountToken: true",
        "a Bearer token is needed",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "urn:pulumi:prod::gke-fleet::kubernetes:core/v1:Secret::cluster-hub",
        "passwordSecretRef: name",
        "0f3a9c52d1e07b44",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert masked(text) == text


@given(st.text(st.sampled_from("eyJ.:v1/@-BEGIN PRIVTKabc \n\\\"'="), max_size=200))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "part",
    ["eyJ", "eyJaaaaaaaaaaaaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "://", "a://b", "private_key", "password", "v1:",
     "-----BEGIN PRIVATE KEY-----\n-----END", "AKIA", "Bearer ", "\\\\", "key: "],
)  # fmt: skip
def test_a_long_text_does_not_take_long(part: str) -> None:
    masked(part * (1_000_000 // len(part)))


def planted(value: Any, secret: str) -> Any:
    """`value` with `secret` in each of its texts, names of properties among them."""
    if isinstance(value, BaseModel):
        fields = {name: planted(getattr(value, name), secret) for name in type(value).model_fields}
        return value.model_copy(update=fields)
    if isinstance(value, Mapping):
        return {f"{name} {secret}": planted(each, secret) for name, each in value.items()}
    if isinstance(value, tuple):
        return tuple(planted(each, secret) for each in value)
    is_text = isinstance(value, str) and type(value) is str
    return f"{value} {secret}" if is_text else value


def reports(answer: Answer) -> dict[str, str]:
    out = io.StringIO()
    print_answer(answer, Console(file=out, width=100_000))
    return {
        "document": json.dumps(document(answer)),
        "markdown": markdown(answer),
        "page": page(answer),
        "text": out.getvalue(),
    }


@pytest.mark.parametrize(("text", "secret"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_a_credential_planted_in_every_text_of_an_answer_is_in_no_report(text: str, secret: str) -> None:
    answer = planted(answers.dozen(), text)
    assert text in answer.stack
    for name, report in reports(answer).items():
        assert secret not in report, name
        assert "masked" in report, name


def test_a_key_over_several_lines_is_masked() -> None:
    """The CLI prints a property of several lines as several lines."""
    answer = answers.dozen()
    step = answer.steps[0].model_copy(
        update={"lines": ("  ~ key: |", *(f"    + {one}" for one in PEM.split("\n")))}
    )
    for name, report in reports(answer.model_copy(update={"steps": (step,)})).items():
        assert BODY not in report, name
        assert "secondLine" not in report, name


def test_a_clean_answer_is_the_same_object() -> None:
    answer = answers.dozen()
    assert masked_answer(answer) is answer


def test_names_that_mask_alike_are_both_kept() -> None:
    answer = answers.small()
    tokens = {"ghp_" + "a" * 30: 1, "ghp_" + "b" * 30: 2}
    assert sorted(masked_answer(answer.model_copy(update={"summary": tokens})).summary.values()) == [1, 2]
