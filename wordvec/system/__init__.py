"""The machine and the ground rules: threads, memory, atomic files, aligned arrays, CSR, validation."""
