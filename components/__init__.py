"""The fleet as cloud and cluster resources: one noun a file. `Fleet` wires the others together from the
model."""
