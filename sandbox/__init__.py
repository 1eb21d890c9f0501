"""A fleet on one machine: real Kubernetes API servers and Argo CD, with a stand-in for Google Cloud.

Owns the processes behind the sandbox ground. Knows nothing of components/ or model/, and neither may import
it: the program must not be able to tell on which ground it stands.
"""
