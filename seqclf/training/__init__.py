"""Task-independent training: the loop over epochs, optimizers, schedules and dropout."""
