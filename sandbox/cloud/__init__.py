"""Google Cloud on this machine, as far as a fleet of GKE clusters behind Connect Gateway needs it.

One process (`python -m sandbox.cloud --state DIR`) with one store of what the program created. Whom it lets
in follows only from the IAM resources that were made: by `bootstrap/` as the organization's owner, by the program as
the deployer. It refuses what Google would refuse as far as that is known, in Google's words where they are known.
"""
