"""Vector files: one module per format; they exchange a VectorTable."""
