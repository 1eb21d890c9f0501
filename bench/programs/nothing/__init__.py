"""The pack as a package, for whoever runs its rule in process."""
