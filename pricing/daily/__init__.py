"""What values were on each day: replayed from copies and readings, stored, and chained to an index."""
