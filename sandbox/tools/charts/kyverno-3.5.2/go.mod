module example.invalid/sandbox-tools/charts/kyverno-3.5.2

go 1.26.0

require github.com/kyverno/kyverno v1.15.2
