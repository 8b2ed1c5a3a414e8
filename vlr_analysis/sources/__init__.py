"""Readers and writers of formats: one module a format, path in, observations out."""
