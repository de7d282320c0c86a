"""Modules that take the place of others: programs written for those run on lexigrad as they are."""
