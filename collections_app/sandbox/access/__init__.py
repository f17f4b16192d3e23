"""Credentials of requests, OAuth and the rate limit."""
