"""The made-up data: releases, their market, users and their collections, from one seed. No I/O, no clock."""
