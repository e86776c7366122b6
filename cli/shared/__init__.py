"""What several commands share: options, errors, progress reporting."""
