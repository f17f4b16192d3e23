"""A stand-in for the Discogs API, for the demo and for tests. It must not run in production."""
