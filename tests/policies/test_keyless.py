"""The rules about keys, by a table: what each refuses, with the paths it names, and what it lets pass.

Proves them on inputs as the engine hands them over, and that no message holds a credential. Does not prove that
what is refused would work as a credential.
"""

import base64
import json
from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rules.keyless import RULES

from .conftest import Pack
from .examples import Example, check, check_all_are_shown
from .test_pack import SECRET as SECRET_SIGNATURE
from .test_pack import SIGNATURE

SECRET = "kubernetes:core/v1:Secret"
PROVIDER = "pulumi:providers:kubernetes"
CLUSTER = "gcp:container/cluster:Cluster"
ROLE = "gcp:projects/iAMMember:IAMMember"
CREDENTIAL = "swordfish"
KEY_FILE = json.dumps(
    {
        "type": "service_account",
        "private_key_id": "0" * 40,
        "private_key": f"-----BEGIN PRIVATE KEY-----\n{CREDENTIAL}\n-----END PRIVATE KEY-----\n",
        "client_email": "x@p.iam.gserviceaccount.com",
    },
    indent=2,
)
FEDERATED = json.dumps(
    {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "credential_source": {"file": "/var/run/secrets/tokens/token"},
    }
)
PERSON = json.dumps({"type": "authorized_user", "client_id": "c", "refresh_token": CREDENTIAL, "x": "y" * 60})
EXEC = {"command": "argocd-k8s-auth", "args": ["gcp"], "apiVersion": "client.authentication.k8s.io/v1beta1"}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(kind: str | None, field: str = "stringData", **held: Any) -> dict[str, Any]:
    labels = {"argocd.argoproj.io/secret-type": kind} if kind else {}
    return {"metadata": {"name": "x", "labels": labels}, field: held}


def cluster(**config: Any) -> dict[str, Any]:
    return secret("cluster", server="https://c", config=json.dumps(config))


def kubeconfig(user: dict[str, Any], **cluster_: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Config", "clusters": [{"name": "c", "cluster": {"server": "s", **cluster_}}],
        "users": [{"name": "u", "user": user}],
    }  # fmt: skip


def user(**given: Any) -> str:
    return json.dumps(kubeconfig(given))


TOKEN_SECRET = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token"}
YAML_KUBECONFIG = f"""
apiVersion: v1
kind: Config
clusters: []
users:
- name: u
  user:
    token: {CREDENTIAL}
"""

EXAMPLES = [
    Example(
        "no-service-account-keys",
        "gcp:serviceaccount/key:Key",
        {"serviceAccountId": "projects/p/serviceAccounts/x@p.iam.gserviceaccount.com"},
        ("serviceAccountId",),
    ),
    Example(
        "no-service-account-keys",
        "gcp:serviceaccount/key:Key",
        {"serviceAccountId": UNKNOWN_STRING_VALUE},
        ("serviceAccountId",),
    ),
    Example(
        "no-service-account-keys",
        "gcp:storage/hmacKey:HmacKey",
        {"serviceAccountEmail": "x@p"},
        ("serviceAccountEmail",),
    ),
    Example(
        "no-service-account-keys",
        "gcp:projects/apiKey:ApiKey",
        {"serviceAccountEmail": "x@p"},
        ("serviceAccountEmail",),
    ),
    Example("no-service-account-keys", "gcp:projects/apiKey:ApiKey", {"name": "maps"}),
    Example("no-service-account-keys", "gcp:serviceaccount/account:Account", {"accountId": "x"}),
    Example("no-key-files", SECRET, secret(None, key=KEY_FILE), ("stringData.key",)),
    Example("no-key-files", SECRET, secret(None, "data", key=b64(KEY_FILE)), ("data.key",)),
    Example("no-key-files", SECRET, secret(None, "data", key=b64(b64(KEY_FILE))), ("data.key",)),
    Example(
        "no-key-files", "kubernetes:core/v1:ConfigMap", {"data": {"k.json": KEY_FILE}}, ('data["k.json"]',)
    ),
    Example("no-key-files", SECRET, secret(None, adc=PERSON), ("stringData.adc",)),
    Example("no-key-files", "pulumi:providers:gcp", {"credentials": KEY_FILE}, ("credentials",)),
    Example(
        "no-key-files",
        "kubernetes:apps/v1:Deployment",
        {"spec": {"template": {"spec": {"containers": [{"env": [{"name": "K", "value": KEY_FILE}]}]}}}},
        ("spec.template.spec.containers[0].env[0].value",),
    ),
    Example(
        "no-key-files",
        "kubernetes:helm.sh/v3:Release",
        {"values": {"google": json.dumps({"inner": KEY_FILE})}},
        ("values.google",),
    ),
    Example("no-key-files", SECRET, secret(None, adc=FEDERATED)),
    Example("no-key-files", SECRET, secret(None, text=f"how to get a refresh_token{'.' * 100}")),
    Example("no-key-files", SECRET, secret(None, text=f"the type authorized_user{'.' * 100}")),
    Example("no-key-files", SECRET, secret(None, text=f"the field private_key{'.' * 100}")),
    Example(
        "no-key-files",
        SECRET,
        secret(None, tls=f"-----BEGIN PRIVATE KEY-----\n{'x' * 90}\n-----END PRIVATE KEY-----"),
    ),
    Example("no-key-files", SECRET, secret(None, "data", short="eyJ", odd="ey" + "=" * 150)),
    Example(
        "no-key-admin-roles",
        ROLE,
        {"role": "roles/iam.serviceAccountKeyAdmin", "member": "user:a@b"},
        ("role",),
    ),
    Example(
        "no-key-admin-roles",
        "gcp:storage/bucketIAMBinding:BucketIAMBinding",
        {"role": "roles/storage.hmacKeyAdmin", "members": ["user:a@b"]},
        ("role",),
    ),
    Example(
        "no-key-admin-roles",
        "gcp:projects/iAMCustomRole:IAMCustomRole",
        {"permissions": ["iam.serviceAccounts.get", "iam.serviceAccountKeys.create"]},
        ("permissions[1]",),
    ),
    Example(
        "no-key-admin-roles",
        "gcp:projects/iAMPolicy:IAMPolicy",
        {
            "policyData": json.dumps(
                {"bindings": [{"role": "roles/iam.serviceAccountKeyAdmin", "members": ["user:a@b"]}]}
            )
        },
        ("policyData: bindings[0].role",),
    ),
    Example("no-key-admin-roles", ROLE, {"role": "roles/iam.serviceAccountAdmin", "member": "user:a@b"}),
    Example(
        "no-key-admin-roles",
        "gcp:projects/iAMBinding:IAMBinding",
        {"role": "roles/iam.serviceAccountKeyAdmin", "members": []},
    ),
    Example(
        "cluster-secret-keyless", SECRET, cluster(bearerToken=CREDENTIAL), ("stringData.config: bearerToken",)
    ),
    Example(
        "cluster-secret-keyless", SECRET, cluster(BEARERTOKEN=CREDENTIAL), ("stringData.config: bearerToken",)
    ),
    Example(
        "cluster-secret-keyless",
        SECRET,
        cluster(username="admin", password=CREDENTIAL),
        ("stringData.config: password",),
    ),
    Example(
        "cluster-secret-keyless",
        SECRET,
        cluster(tlsClientConfig={"keyData": CREDENTIAL, "certData": CREDENTIAL, "insecure": True}),
        (
            "stringData.config: tlsClientConfig.keyData",
            "stringData.config: tlsClientConfig.certData",
            "stringData.config: tlsClientConfig.insecure",
        ),
    ),
    Example(
        "cluster-secret-keyless",
        SECRET,
        cluster(execProviderConfig=EXEC | {"env": {"API_TOKEN": CREDENTIAL}}),
        ("stringData.config: execProviderConfig.env.API_TOKEN",),
    ),
    Example(
        "cluster-secret-keyless",
        SECRET,
        secret("cluster", "data", config=b64(json.dumps({"bearerToken": CREDENTIAL}))),
        ("data.config: bearerToken",),
    ),
    Example(
        "cluster-secret-keyless",
        "kubernetes:core/v1:SecretList",
        {"items": [cluster(bearerToken=CREDENTIAL)]},
        ("items[0].stringData.config: bearerToken",),
    ),
    Example(
        "cluster-secret-keyless",
        SECRET,
        cluster(
            execProviderConfig=EXEC | {"env": {"AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}},
            tlsClientConfig={"insecure": False, "caData": "eA==", "keyData": ""},
        ),
    ),
    Example("cluster-secret-keyless", SECRET, cluster(awsAuthConfig={"clusterName": "c"})),
    Example("cluster-secret-keyless", SECRET, secret("cluster", config="{not json")),
    Example("cluster-secret-keyless", SECRET, secret("cluster", config=UNKNOWN_STRING_VALUE)),
    Example(
        "cluster-secret-keyless", SECRET, secret("repository", config=json.dumps({"bearerToken": CREDENTIAL}))
    ),
    *(
        Example(
            "repository-secret-keyless",
            SECRET,
            secret(kind, url="https://g", **{field: CREDENTIAL}),
            (f"stringData.{field}",),
        )
        for kind in ("repository", "repo-creds", "repository-write", "repo-write-creds")
        for field in (
            "password",
            "sshPrivateKey",
            "githubAppPrivateKey",
            "tlsClientCertKey",
            "bearerToken",
            "gcpServiceAccountKey",
        )
    ),
    Example(
        "repository-secret-keyless",
        SECRET,
        secret("repo-creds", "data", password=b64(CREDENTIAL)),
        ("data.password",),
    ),
    Example(
        "repository-secret-keyless", SECRET, secret("scm-creds", token=CREDENTIAL), ("stringData.token",)
    ),
    Example(
        "repository-secret-keyless", SECRET, secret("repository", url="https://g", type="git", username="x")
    ),
    Example("repository-secret-keyless", SECRET, secret("repository", password="")),
    Example("repository-secret-keyless", SECRET, secret("repository", password=UNKNOWN_STRING_VALUE)),
    Example("repository-secret-keyless", SECRET, secret(None, password=CREDENTIAL)),
    Example(
        "kubeconfig-keyless",
        PROVIDER,
        {"kubeconfig": user(token=CREDENTIAL)},
        ("kubeconfig: users[0].user.token",),
    ),
    Example(
        "kubeconfig-keyless", PROVIDER, {"kubeconfig": YAML_KUBECONFIG}, ("kubeconfig: users[0].user.token",)
    ),
    Example(
        "kubeconfig-keyless",
        PROVIDER,
        {"kubeconfig": kubeconfig({"password": CREDENTIAL})},
        ("kubeconfig.users[0].user.password",),
    ),
    Example(
        "kubeconfig-keyless",
        PROVIDER,
        {"kubeconfig": user(**{"client-key-data": CREDENTIAL, "auth-provider": {"name": "gcp"}})},
        (
            "kubeconfig: users[0].user.client-key-data",
            "kubeconfig: users[0].user.auth-provider",
        ),
    ),
    Example(
        "kubeconfig-keyless",
        PROVIDER,
        {"kubeconfig": user(exec={"command": "x", "env": [{"name": "TOKEN", "value": CREDENTIAL}]})},
        ("kubeconfig: users[0].user.exec.env[0].value",),
    ),
    Example(
        "kubeconfig-keyless",
        PROVIDER,
        {"kubeconfig": json.dumps(kubeconfig({}, **{"insecure-skip-tls-verify": True}))},
        ("kubeconfig: clusters[0].cluster.insecure-skip-tls-verify",),
    ),
    Example(
        "kubeconfig-keyless",
        SECRET,
        secret(None, "data", value=b64(YAML_KUBECONFIG)),
        ("data.value: users[0].user.token",),
    ),
    Example(
        "kubeconfig-keyless",
        "kubernetes:core/v1:ConfigMap",
        {"data": {"config": user(token=CREDENTIAL)}},
        ("data.config: users[0].user.token",),
    ),
    Example("kubeconfig-keyless", PROVIDER, {"kubeconfig": user(exec={"command": "gke-gcloud-auth-plugin"})}),
    Example("kubeconfig-keyless", PROVIDER, {"kubeconfig": user(tokenFile="/var/run/token")}),
    Example("kubeconfig-keyless", PROVIDER, {"kubeconfig": "~/.kube/config"}),
    Example("kubeconfig-keyless", PROVIDER, {"kubeconfig": UNKNOWN_STRING_VALUE}),
    Example("kubeconfig-keyless", PROVIDER, {"kubeconfig": "users clusters: ["}),
    Example("no-token-secrets", SECRET, {"type": "kubernetes.io/service-account-token"}, ("type",)),
    Example("no-token-secrets", SECRET, {"type": "Opaque"}),
    Example("no-token-secrets", "kubernetes:core/v1:List", {"items": [TOKEN_SECRET]}, ("items[0].type",)),
    Example(
        "no-token-secrets", "kubernetes:core/v1:List", {"items": [TOKEN_SECRET | {"apiVersion": "x.io/v1"}]}
    ),
    Example("no-token-secrets", "kubernetes:core/v1:List", {"items": [TOKEN_SECRET | {"kind": "Pod"}]}),
    Example(
        "cluster-authentication",
        CLUSTER,
        {"masterAuth": {"username": "a", "password": CREDENTIAL}},
        ("masterAuth.password",),
    ),
    Example(
        "cluster-authentication",
        CLUSTER,
        {"masterAuth": {"clientCertificateConfig": {"issueClientCertificate": True}}},
        ("masterAuth.clientCertificateConfig.issueClientCertificate",),
    ),
    Example(
        "cluster-authentication",
        CLUSTER,
        {
            "controlPlaneEndpointsConfig": {
                "dnsEndpointConfig": {"enableK8sTokensViaDns": True, "enableK8sCertsViaDns": "true"}
            }
        },
        (
            "controlPlaneEndpointsConfig.dnsEndpointConfig.enableK8sTokensViaDns",
            "controlPlaneEndpointsConfig.dnsEndpointConfig.enableK8sCertsViaDns",
        ),
    ),
    Example(
        "cluster-authentication",
        CLUSTER,
        {"masterAuth": {"password": "", "clientCertificateConfig": {"issueClientCertificate": False}}},
    ),
    Example("cluster-authentication", CLUSTER, {}),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_what_a_rule_refuses_and_lets_pass(example: Example) -> None:
    check(example, RULES)


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.paths], ids=str)
def test_no_message_holds_a_credential(example: Example) -> None:
    for finding in example.findings(RULES):
        assert CREDENTIAL not in str(finding)


def test_every_rule_is_shown_both_ways() -> None:
    check_all_are_shown(EXAMPLES, RULES)


def test_string_data_wins_over_data_as_in_kubernetes() -> None:
    both = secret("repository", password="") | {"data": {"password": b64(CREDENTIAL)}}
    check(Example("repository-secret-keyless", SECRET, both), RULES)


def test_a_secret_of_the_engine_is_looked_into_and_not_told(pack: Pack) -> None:
    wrapped = {SIGNATURE: SECRET_SIGNATURE, "value": {"password": CREDENTIAL, "url": "https://g"}}
    found = pack.analyze(SECRET, secret("repo-creds") | {"stringData": wrapped})
    (told,) = (one.message for one in found if one.policyName == "repository-secret-keyless")
    assert "stringData.password" in told
    assert "[hidden]" in told
    assert CREDENTIAL not in told
