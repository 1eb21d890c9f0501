"""A Helm release for each cluster and add-on; the CLI runs the folder."""
