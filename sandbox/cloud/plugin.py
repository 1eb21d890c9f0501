"""The stand-in for gke-gcloud-auth-plugin: an executable that prints the deployer's token for a kubeconfig.

Owns the script's text and where it is written. It runs for nearly every command of every tool, so it imports
little; it asks the control API each time and keeps nothing. `cloud.json` is found beside its own folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox.cloud.store import write_atomically

NAME = "gke-gcloud-auth-plugin"

# A shell line finds Python, whatever the path (a "#!" line has no room for long ones or for blanks); Python
# takes the same lines for a string.
_SCRIPT = '''#!/bin/sh
""":"
exec "@PYTHON@" -I -S "$0" "$@"
":"""
import json, os, socket, sys, time

def main():
    if "--version" in sys.argv[1:]:
        print("Kubernetes v1.36.0 (gke-fleet sandbox)")
        return
    home = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
    try:
        with open(os.path.join(home, "cloud.json")) as file:
            cloud = json.load(file)
        host, port = cloud["control"].rpartition("/")[2].split(":")
        body = json.dumps({"account": cloud["deployer"]})
        head = ("POST /v1/token HTTP/1.0\\r\\nHost: %s\\r\\nAuthorization: Bearer %s\\r\\n"
                "Content-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n"
                ) % (host, cloud["token"], len(body))
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall((head + body).encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        token = json.loads(answer.partition(b"\\r\\n\\r\\n")[2])
        access = token["access_token"]
    except (OSError, ValueError, KeyError) as error:
        sys.exit("gke-gcloud-auth-plugin of the sandbox in %s: no token: %r (is the sandbox up?)" % (home,
        error))
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + token["expires_in"]))
    print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential",
                      "status": {"token": access, "expirationTimestamp": end}}))

main()
'''


def write(folder: Path) -> Path:
    """Write the executable into a folder and return its path."""
    path = folder / NAME
    write_atomically(path, _SCRIPT.replace("@PYTHON@", sys.executable), 0o755)
    return path
