module example.invalid/sandbox-tools/charts/metrics-server-3.12.1

go 1.26.0

require sigs.k8s.io/metrics-server v0.7.2
