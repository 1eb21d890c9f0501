"""A pack with one rule that looks at every resource and does nothing."""

from pulumi_policy import EnforcementLevel, Policy, ResourceValidationPolicy


def policies() -> list[Policy]:
    """The one rule."""
    return [
        ResourceValidationPolicy(
            name="nothing",
            description="does nothing",
            enforcement_level=EnforcementLevel.ADVISORY,
            validate=lambda args, report: None,
        )
    ]
