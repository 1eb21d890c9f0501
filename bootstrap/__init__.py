"""What has to exist before a fleet can be deployed: a Pulumi project of its own, which an owner runs once.

Owns projects, the accounts of CI with their rights, CI's way in without keys, and where states lie. Does not own
the fleet: that is the other program, and it runs as the deployer that is made here.
"""
