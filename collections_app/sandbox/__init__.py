"""A stand-in for the Discogs API: for the demo, for tests and for fault tests. Never for production."""
