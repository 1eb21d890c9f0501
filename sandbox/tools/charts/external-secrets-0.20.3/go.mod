module example.invalid/sandbox-tools/charts/external-secrets-0.20.3

go 1.26.0

require github.com/external-secrets/external-secrets v0.20.4
