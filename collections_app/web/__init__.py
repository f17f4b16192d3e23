"""What every answer has in common, whatever page it is: limits on requests, headers, error pages."""
