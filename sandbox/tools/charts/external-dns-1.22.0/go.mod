module example.invalid/sandbox-tools/charts/external-dns-1.22.0

go 1.26.0

require sigs.k8s.io/external-dns v0.23.0
