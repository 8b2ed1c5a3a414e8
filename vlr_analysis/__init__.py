"""The VLR Analysis Kit: what a city's own figures say about its progress on the 2030 Agenda."""
