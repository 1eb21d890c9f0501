"""The programs and the policy pack that are baselines. Each folder is run by the CLI."""
