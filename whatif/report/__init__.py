"""The answer of a what-if for people and scripts: terminal, Markdown, one HTML page, one JSON document."""
