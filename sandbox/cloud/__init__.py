"""Google Cloud on this machine, as far as a fleet of GKE clusters behind Connect Gateway needs it.

One process (`python -m sandbox.cloud --state DIR`) with one store of what the program created. Whom it lets
in follows only from the IAM resources of the program and from `bootstrap.yaml`, the result of what an owner
set up before. It refuses what Google would refuse as far as that is known, in Google's words where they are
known.
"""
