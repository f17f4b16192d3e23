"""The web server: waitress, which receives and sends without a thread, with limits on how long each may take."""
