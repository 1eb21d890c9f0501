"""Rule image-pinned: a container image names a version, by digest or by a tag that is meant to stay.

A tag that names no version (`latest`, a branch, a channel, a flavour alone) is refused. Whether any other
tag really stays cannot be seen from here: only a digest does, which the rule image-digest asks for.
"""

from collections.abc import Iterator
from typing import Final

from ..rule import Finding, Resource, Rule
from .image import concerns, images, moving_fault

_REMEDY: Final = 'Write the digest ("NAME:TAG@sha256:…") or a tag that names one version, such as "v1.3.1"'


def _look(resource: Resource) -> Iterator[Finding]:
    for image in images(resource):
        if fault := moving_fault(image):
            yield Finding(path=image.path, value=image.value, why=fault, remedy=_REMEDY)


RULE: Final = Rule(
    name="image-pinned",
    title="Container images name a version",
    mandatory=True,
    reason=(
        "A tag such as latest or main is pulled again on every node at another time: the pods of one "
        "workload then run different code, and a restart is an upgrade."
    ),
    remedy=_REMEDY + ".",
    source="https://kubernetes.io/docs/concepts/containers/images/#image-names",
    looks_at=(
        "Pod: containers, initContainers and ephemeralContainers",
        "Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, and custom resources of any kind: the "
        "same at template.spec, wherever it stands",
    ),
    concerns=concerns,
    look=_look,
)
