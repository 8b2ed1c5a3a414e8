"""Running notebooks for each city and delivering their pages."""
