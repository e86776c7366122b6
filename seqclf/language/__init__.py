"""Language models over words or characters."""
