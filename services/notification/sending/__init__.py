"""Claims what is due, tries it over its channel, and records how the try ended."""
