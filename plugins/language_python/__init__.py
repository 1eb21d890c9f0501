"""The stand-in for pulumi-language-python, where the official one is not beside the CLI."""
