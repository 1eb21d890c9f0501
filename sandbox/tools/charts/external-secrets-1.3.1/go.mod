module example.invalid/sandbox-tools/charts/external-secrets-1.3.1

go 1.26.0

require github.com/external-secrets/external-secrets v1.3.2
