"""The client against every odd answer, without a socket."""
