"""Small labelled texts written for this project."""
