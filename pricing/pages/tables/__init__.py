"""The tables of copies: their rows, filters and order, for the screen and for paper."""
