"""The stand-in for pulumi-resource-gcp."""
