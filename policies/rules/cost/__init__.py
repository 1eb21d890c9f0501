"""Rules about money: nothing is switched on that is billed for itself, and what grows with use is pointed out.

Mandatory is what is billed by being on; advisory what is ordinary usage that somebody should have meant.
"""

from . import (
    accelerator,
    attached_cluster,
    audit_log,
    backup,
    enterprise_tier,
    extended_channel,
    fleet_feature,
    fleet_observability,
    key_version,
    log_volume,
    machine_size,
    metric_volume,
    network_charge,
    node_pool_size,
    paid_api,
    security_posture,
)

RULES = (
    paid_api.RULE,
    enterprise_tier.RULE,
    extended_channel.RULE,
    fleet_feature.RULE,
    attached_cluster.RULE,
    security_posture.RULE,
    backup.RULE,
    fleet_observability.RULE,
    metric_volume.RULE,
    log_volume.RULE,
    audit_log.RULE,
    node_pool_size.RULE,
    machine_size.RULE,
    accelerator.RULE,
    network_charge.RULE,
    key_version.RULE,
)
