"""What the Pulumi CLI starts in place of the official plugins, and the workspace that makes it find them."""
