"""Request limits, headers and error pages of every answer."""
