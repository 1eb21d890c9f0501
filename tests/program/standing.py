"""A plugin on a cloud that was there before the program: `python standing.py WHAT VERSION CLOUD LOG`.

Owns a paper ground that reads what is listed in the file CLOUD ({"gcp": {"TOKEN ID": inputs}, "clusters": {CLUSTER:
{"objects": [manifest], "releases": {"NAMESPACE/NAME": inputs}}}}), refuses to make it again as the real ones do, and
notes every create and delete in LOG. The engine attaches to it. Not proven with it: what the official plugins read.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

PARENT = os.getppid()
sys.path[0] = str(Path(__file__).resolve().parents[2])


def main() -> None:
    """Serve gcp or kubernetes."""
    from plugins.light import empty_the_sdk

    empty_the_sdk()
    from plugins import process, wire
    from plugins.gcp.provider import GcpProvider
    from plugins.gcp.types import TYPES, paper_number
    from plugins.ground import Access, Document, GroundError, Patience
    from plugins.kubernetes.provider import KubernetesProvider
    from plugins.provider import Servicer
    from whatif.paper import Paper, PaperCluster, PaperGcp

    what, version, file, log = sys.argv[1:]
    cloud: Document = json.loads(Path(file).read_text())

    def note(what: str, id_: str) -> None:
        with Path(log).open("a") as lines:
            lines.write(f"{what} {id_}\n")

    class StandingGcp(PaperGcp):
        def create(self, token: str, id_: str, inputs: Document) -> tuple[str, Document]:
            if f"{token} {id_}" in cloud["gcp"] and TYPES[token].exclusive:
                raise GroundError(f"Already exists: {id_}., alreadyExists", 409)
            note("create", id_)
            return super().create(token, id_, inputs)

        def read(
            self, token: str, id_: str, inputs: Document, outputs: Document
        ) -> tuple[Document, Document] | None:
            if inputs:
                return super().read(token, id_, inputs, outputs)
            found = cloud["gcp"].get(f"{token} {id_}")
            return None if found is None else (found, TYPES[token].outputs(found, paper_number))

        def delete(self, token: str, id_: str) -> None:
            note("delete", id_)
            super().delete(token, id_)

    class StandingCluster(PaperCluster):
        def __init__(self, name: str) -> None:
            super().__init__()
            there = cloud["clusters"].get(name, {})
            self._name = name
            self._objects = {_key(each): each for each in there.get("objects", [])}
            self._releases: dict[str, Document] = there.get("releases", {})

        def create(
            self,
            manifest: Document,
            *,
            manager: str,
            force: bool,
            adopt: bool,
            preview: bool,
            patience: Patience,
        ) -> Document:
            if _key(manifest) in self._objects and not preview:
                raise GroundError(f'"{manifest["metadata"]["name"]}" already exists', 409)
            if not preview:
                note("create", f"{self._name} {_key(manifest)}")
            return super().create(
                manifest, manager=manager, force=force, adopt=adopt, preview=preview, patience=patience
            )

        def read(
            self, api_version: str, kind: str, namespace: str | None, name: str, known: Document
        ) -> Document | None:
            return known or self._objects.get(f"{api_version} {kind} {namespace or ''}/{name}")

        def install(self, release: Document, *, patience: Patience) -> Document:
            if f"{release['namespace']}/{release['name']}" in self._releases:
                raise GroundError("cannot re-use a name that is still in use", 409)
            note("create", f"{self._name} release {release['name']}")
            return super().install(release, patience=patience)

        def upgrade(self, release: Document, *, patience: Patience) -> Document:
            note("upgrade", f"{self._name} release {release['name']}")
            return super().upgrade(release, patience=patience)

        def release(self, namespace: str, name: str, known: Document) -> Document | None:
            found = self._releases.get(f"{namespace}/{name}")
            return known or (found and {"status": {"status": "deployed", **found}, "resourceNames": {}})

    class Standing(Paper):
        def __init__(self) -> None:
            super().__init__()
            self._standing_gcp = StandingGcp()
            self._standing: dict[str, StandingCluster] = {}

        def gcp(self) -> PaperGcp:
            return self._standing_gcp

        def cluster(self, access: Access) -> PaperCluster:
            assert access.kubeconfig is not None
            server = str(access.kubeconfig["clusters"][0]["cluster"]["server"])
            name = server.rpartition("/")[2]
            return self._standing.setdefault(name, StandingCluster(name))

    ground = Standing()

    def factory(engine: Any) -> Any:
        if what == "gcp":
            return GcpProvider(engine, version, ground.gcp())
        return KubernetesProvider(engine, version, ground)

    process.serve(
        lambda server: wire.provider_grpc.add_ResourceProviderServicer_to_server(Servicer(factory), server),
        parent=PARENT,
    )


def _key(manifest: dict[str, Any]) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['apiVersion']} {manifest['kind']} {metadata.get('namespace') or ''}/{metadata['name']}"


if __name__ == "__main__":
    main()
