module example.invalid/sandbox-tools/charts/kyverno-3.4.4

go 1.26.0

require github.com/kyverno/kyverno v1.14.4
