"""Forms of files that are scored: one module a form, each with `open_source`, `create_sink` and `resume_sink`."""
