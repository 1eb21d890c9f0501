"""Rules about rights: nobody may more than they need, and where somebody may much, it stands where people look."""

from . import (
    app_project,
    app_project_kinds,
    argocd_iam,
    basic_role,
    cluster_admin,
    container_role,
    default_project,
    everybody_binding,
    gateway_admin,
    node_account,
    project_impersonation,
    public_member,
    wildcard_role,
)

RULES = (
    basic_role.RULE,
    public_member.RULE,
    argocd_iam.RULE,
    container_role.RULE,
    gateway_admin.RULE,
    project_impersonation.RULE,
    node_account.RULE,
    app_project.RULE,
    app_project_kinds.RULE,
    default_project.RULE,
    cluster_admin.RULE,
    wildcard_role.RULE,
    everybody_binding.RULE,
)
