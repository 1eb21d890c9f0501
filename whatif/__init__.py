"""What would this change do? Answered by the Pulumi CLI on paper: no cloud, no cluster, no credential."""
