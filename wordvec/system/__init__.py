"""System utilities: threads, memory, atomic files, aligned arrays, CSR, validation."""
