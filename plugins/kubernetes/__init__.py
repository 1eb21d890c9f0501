"""The stand-in for pulumi-resource-kubernetes."""
