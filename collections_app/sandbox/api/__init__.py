"""The routes of the API and their JSON documents."""
