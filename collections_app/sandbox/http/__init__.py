"""HTTP: requests and answers as values, and the socket that carries them."""
